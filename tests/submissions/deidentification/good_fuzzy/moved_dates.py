"""A grammar of dates: full ones are moved by the patient's days and written as they were, parts of dates go."""

import re
from datetime import date, timedelta

MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december"]  # fmt: skip
UNITS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
ORDINALS = [*UNITS, "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
            "eighteenth", "nineteenth", "twentieth", *(f"twenty-{u}" for u in UNITS), "thirtieth",
            "thirty-first"]  # fmt: skip

MON = (
    r"(?P<mon>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])"
)
ORD = "(?P<ord>" + "|".join(o.replace("-", "[- ]?") for o in sorted(ORDINALS, key=len, reverse=True)) + ")(?![a-z])"
Y4 = r"(?:19|20)\d\d"
DAY = r"(?<![\d.:/])(?<![A-Za-z0-9]-)(?P<d>\d{1,2})(?P<th>\s?(?:st|nd|rd|th)(?![a-z]))?"
RANGE = r"(?:\s?-\s?\d{1,2}(?:st|nd|rd|th)?(?![\d/]))?"
WEEKDAY = (
    r"(?:\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?-i:Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun|MON|TUE|"
    r"WED|THU|FRI)"
    r"(?!\s?\d+\s?%))\b\.?)"
)


def rule(pattern):
    return re.compile(pattern, re.IGNORECASE)


# Full dates. Groups: y m d, a and b either of month and day, mon a name, ord a word, th an ending.
FULL = [
    rule(r"(?<![\d.-])(?P<y>(?:19|20|21)\d\d)(?P<s>\s?[-/._]\s?)(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})(?!\d)"),
    rule(r"(?<![\w.-])(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?![\d-])(?=\b|T)"),
    rule(rf"(?<![\w./-])(?P<a>\d{{1,2}})(?P<s>\s?[-/._]\s?)(?P<b>\d{{1,2}})(?P=s)(?P<y>{Y4}|\d\d)(?!\d|[-/.]\d)"),
    rule(rf"(?<![\w./-])(?P<a>\d\d) (?P<b>\d\d) (?P<y>{Y4})(?!\d|[-/. ]\d)"),
    rule(rf"{DAY}(?:\s+day)?(?:\s+of)?(?:\s+|\s?[-/.,]\s?)?{MON}\.?(?:(?:,?\s+|\s?[-/.]\s?|)(?P<y>{Y4})(?!\d)|"
         rf"(?:[-/.]|\s?'|)(?P<yy>\d\d)(?![\d:%])(?!\s?(?:mg|mcg|kg|ml|%)))"),
    rule(rf"(?<![a-z]){MON}\.?[-\s/.]*(?:the\s+)?{DAY}(?:(?:,?\s+|\s?[-/.,]\s?)(?P<y>{Y4})(?!\d)|"
         rf"(?:[-/]|,?\s?')(?P<yy>\d\d)(?![\d:%]))"),
    rule(rf"(?<![a-z]){ORD}(?:\s+day)?(?:\s+of)?\s+{MON}[,\s]+(?:of\s+)?(?P<y>{Y4})(?!\d)"),
    rule(rf"(?<![a-z]){MON}\s+(?:the\s+)?{ORD}[,\s]+(?:of\s+)?(?P<y>{Y4})(?!\d)"),
    rule(rf"(?<!\d)(?P<y>{Y4})[-\s/.,]*{MON}\.?[-\s/.]*{DAY}(?!\d)"),
]  # fmt: skip
# Parts of dates with a month in words; of one with a year the year stays.
PARTS = [
    rule(rf"(?:the\s+)?{DAY}(?:\s+day)?(?:\s+of)?(?:\s+|\s?[-/.]\s?)?{MON}\.?(?!\s+(?:thurner|hegglin))"),
    rule(rf"(?<![a-z]){MON}\.?[-\s]*(?:the\s+)?{DAY}{RANGE}(?!\d|:\d|\s?(?:mg|mcg|kg|ml|%))"),
    rule(rf"(?:the\s+)?(?<![a-z]){ORD}(?:\s+day)?(?:\s+of)?\s+{MON}"),
    rule(rf"(?<![a-z]){MON}\s+(?:the\s+)?{ORD}"),
    rule(rf"(?:(?:early|mid|middle|late|start|beginning|end)(?:[-\s]+of)?[-\s/]+)?(?<![a-z]){MON}\.?"
         rf"(?:[-\s,/]*(?:of\s+)?(?P<keep>{Y4})|\s?'\d\d)(?!\d)"),
    rule(rf"(?:early|mid|middle|late|start|beginning|end)(?:[-\s]+of)?[-\s/]+{MON}\.?"),
    rule(rf"(?<![\d/.-])(?:0?[1-9]|1[0-2])[-/](?P<keep>{Y4})(?![\d/-])"),
    rule(rf"(?<![\d/.-])(?P<keep>{Y4})[-/](?:0[1-9]|1[0-2])(?![\d/-])"),
    rule(r"(?<=\bthe )(?:[12]?\d|3[01])(?:st|nd|rd|th)(?=\s*(?:[.,;:)|\n]|$)|\s+(?:and|or|at|for|with|to|by|when|if|"
         r"because|as|he|she|they|in|on|was|is|of (?:this|last|next|the) month)\b)"),
]  # fmt: skip
# Which of those have a month in words: they are looked for around months only.
AROUND_MONTHS = [p for p in (*FULL, *PARTS) if "mon" in p.groupindex]
MONTH = re.compile(MON.replace("?P<mon>", "?:"))
LEFT, RIGHT = 42, 36
ORDINAL_DAY = rule(
    r"\b(?:on|until|by|since|before|from|till|through|and|after) the "
    + ORD
    + r"(?=\s*(?:[.,;:)|\n]|$)|\s(?:and|or|at|if|when|with|unless|because|for)\b(?! (?:second|third|last)\b))"
)
# "may" is a verb and "march" a walk: as words alone only with a capital and after a word that asks for a month.
ALONE = re.compile(
    r"(?:(?<=\bin )|(?<=\bsince )|(?<=\blast )|(?<=\bthis )|(?<=\bnext )|(?<=\bof )|(?<=\buntil )|(?<=\bby )|"
    r"(?<=\bduring )"
    r"|(?<=\bsince early )|(?<=\bfrom ))(?:May|March|Mar)\b(?!\s+(?:Thurner|Hegglin))"
    r"|\b(?:January|February|April|June|July|August|September|October|November|December)\b"
)
SLASHED = re.compile(r"(?<![\w./-])(?P<a>\d{1,2})(?P<s>[-/])(?P<b>\d{1,2})(?![\w/]|[-.]\d)(?!\s?%)")
WEEKDAYS = rule(WEEKDAY)
MEASURED = re.compile(
    r"(?:pain|score|scale|strength|power|grade|reflex\w*|murmur|apgar|pulses?|bp|pressure|take|taking|of|below|"
    r"above|tablets?|"
    r"rated|vision|acuity|gcs|severity|motor|bpm)[:\s~]*$", re.I
)  # fmt: skip
TOLD = re.compile(
    r"(?:\b(?:on|since|until|till|before|after|from|by|to|through|thru|dated?|seen|visit|labs?|due|again|for|at|"
    r"sent|w/|"
    r"rtc|f/u|held|updated|onset|eval|session|merged|removed|of|between|and|out|returned|started|admitted|"
    r"discharged|last|around|about|approx|circa|ca|began|begun|week of|effective|as of|session|appointment|"
    r"scheduled|signed)"
    r"|[(,~])[:\s~]*$", re.I
)  # fmt: skip
FIRMLY = re.compile(r"\b(?:on|since|until|dated?|onset|around|before|after|due|seen|sent|out|rtc|f/u)[\s:~]*$", re.I)
SCORED = re.compile(
    r"\b(?:pain|score|strength|apgar|take|power|grade|scale)\W*(?:(?:is|was|of|at|score|now)\W+)?$", re.I
)
AFTER_MEASURE = re.compile(r"\s*(?:tab|pill|caps|dose|in (?:both|all|the)|bilat|on arrival|throughout|strength|"
                           r"mm|systolic|"
                           r"murmur|cup|glass|pack|of (?:a|the) )", re.I)  # fmt: skip


class DateMover:
    """Finds the dates of one patient's texts."""

    def __init__(self, person, days, as_of, old):
        """days: the patient's shift.  old: a patient of 90 or more, whose year of birth goes too."""
        self.person, self.days, self.old = person, days, old
        self.year = int(as_of[:4])
        self.known = person.days | {person.born}
        self.month_days = {day[5:] for day in self.known}

    def spans(self, plain):
        """(start, end, what to write) of every date in the shadow of a text."""
        months = windows([m.start() for m in MONTH.finditer(plain.lower())], len(plain))
        for match in self.found(FULL, plain, months):
            if day := self.read(match):
                yield match.start(), match.end(), self.write(match, day, plain)
        for match in self.found(PARTS, plain, months):
            parts = match.groupdict()
            if parts.get("mon") == "may" or (parts.get("d") and not 1 <= int(parts["d"]) <= 31):
                continue
            kept = parts.get("keep")
            write = kept if kept and not (self.old and kept == self.person.born[:4]) else "[DATE]"
            yield match.start(), match.end() - match[0].endswith("."), write
        for match in ORDINAL_DAY.finditer(plain):
            yield match.start("ord"), match.end(), "[DATE]"
        for start, end in months:
            for match in ALONE.finditer(plain, start, end):
                yield match.start(), match.end(), "[DATE]"
        for match in SLASHED.finditer(plain):
            if self.slashed(match, plain):
                yield match.start(), match.end(), "[DATE]"
        for match in WEEKDAYS.finditer(plain):
            yield match.start(), match.end(), "[DATE]"

    def found(self, patterns, plain, months):
        """The matches of each pattern in turn."""
        for pattern in patterns:
            if pattern in AROUND_MONTHS:
                for start, end in months:
                    yield from pattern.finditer(plain, start, end)
            else:
                yield from pattern.finditer(plain)

    def read(self, match):
        """The day that a full date means, or None."""
        parts = match.groupdict()
        year = parts["y"] or parts.get("yy")
        years = [int(year)] if len(year) == 4 else self.centuries(int(year))
        if parts.get("mon"):
            month = month_number(parts["mon"])
            day = ordinal_number(parts["ord"]) if parts.get("ord") else int(parts["d"])
            readings = [(month, day)]
        elif parts.get("a"):
            a, b = int(parts["a"]), int(parts["b"])
            # 05.09.2023 is European, all other numbers are month first, unless the patient's own days know better.
            readings = [(b, a), (a, b)] if parts.get("s") == "." and len(year) == 4 else [(a, b), (b, a)]
        else:
            readings = [(int(parts["m"]), int(parts["d"]))]
        days = [day for y in years for m, d in readings if (day := real(y, m, d))]
        return next((day for day in days if day.isoformat() in self.known), days[0] if days else None)

    def centuries(self, year):
        return [2000 + year, 1900 + year] if 2000 + year <= self.year + 1 else [1900 + year, 2000 + year]

    def write(self, match, day, plain):
        """The moved day as this one was written; of the birth date the year."""
        if day.isoformat() == self.person.born:
            return "[DATE]" if self.old else str(day.year)
        try:
            new = day + timedelta(self.days)
        except OverflowError:
            return "[DATE]"
        parts, text, base = match.groupdict(), match[0], match.start()
        first = (day.month, day.day) == (int(parts["a"]), int(parts["b"])) if parts.get("a") else True
        padded = all(len(parts[g]) == 2 for g in ("a", "b", "m", "d") if parts.get(g))
        values = {
            "y": str(new.year),
            "m": new.month,
            "d": new.day,
            "a": new.month if first else new.day,
            "b": new.day if first else new.month,
        }
        two = f"{new.year % 100:02d}"
        if new.year not in self.centuries(new.year % 100)[:1]:
            two = str(new.year)
        out, at = [], 0
        for group in sorted((g for g in parts if parts[g] and g not in ("s", "keep")), key=match.start):
            old = parts[group]
            if group == "mon":
                value = month_name(new.month, old, match)
            elif group == "ord":
                value = ORDINALS[new.day - 1].capitalize() if old[0].isupper() else ORDINALS[new.day - 1]
            elif group == "th":
                value = ending(new.day)
            elif group in ("y", "yy"):
                value = two if len(old) == 2 else values["y"]
            else:
                value = f"{values[group]:02d}" if padded else str(values[group])
            gap = text[at : match.start(group) - base]
            # "'24" may have become 2101, and four digits take no apostrophe.
            out += [gap.rstrip("'") if group == "yy" and len(value) == 4 else gap, value]
            at = match.end(group) - base
        return "".join(out) + text[at:]

    def slashed(self, match, plain):
        """Whether "4/29" is a day rather than a measurement: by the patient's own days and the words around it."""
        a, b = int(match["a"]), int(match["b"])
        if not (real(2024, a, b) or real(2024, b, a)):
            return False
        before, after = plain[max(0, match.start() - 24) : match.start()], plain[match.end() : match.end() + 20]
        own = f"{a:02d}-{b:02d}" in self.month_days or f"{b:02d}-{a:02d}" in self.month_days
        before = before.rsplit("\n", 1)[-1]
        if AFTER_MEASURE.match(after) or SCORED.search(before):
            return False
        if match["s"] == "-":
            if own:
                return TOLD.search(before) is not None
            # "Out 11-9, sooner if red" is a day, "in 2-3 weeks" is none.
            return re.match(r"\s*(?:[.,;)|\n]|$)", after) is not None and FIRMLY.search(before) is not None
        if own:
            return True
        if MEASURED.search(before) and not re.search(r"\bof\s$", before):
            return False
        return FIRMLY.search(before) is not None or ((b not in (5, 10) or a > b) and TOLD.search(before) is not None)


def windows(places, length):
    """(start, end) around the places, those that touch made one."""
    found = []
    for at in places:
        start, end = max(0, at - LEFT), min(length, at + RIGHT)
        if found and start <= found[-1][1]:
            found[-1][1] = end
        else:
            found.append([start, end])
    return found


def real(year, month, day):
    try:
        return date(year, month, day)
    except ValueError:
        return None


def month_number(name):
    return [m[:3] for m in MONTHS].index(name[:3].lower()) + 1


def ordinal_number(word):
    return [o.replace("-", "") for o in ORDINALS].index(re.sub(r"[- ]", "", word.lower())) + 1


def month_name(month, old, match):
    name = MONTHS[month - 1]
    spaced = " " in match[0]
    if len(old) <= 4 and old.lower() not in ("june", "july") and not (old.lower() == "may" and spaced):
        name = name[:3]
    return name.upper() if old.isupper() else name.capitalize() if old[0].isupper() else name


def ending(day):
    return "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
