"""The rule engine: all rules mark spans of a text, protected spans win over names, marked spans become labels."""

import regex

from .patterns import GUARDS, LABELLED, NOT_DATE_AFTER, NOT_DATE_BEFORE, SHORT_DATE
from .people import PARTICLES, WORD, fold, words

R = regex.compile
KIN = (
    r"(?:spouse|child|sibling|parent|neighbou?r|friend|wife|husband|partner|son|daughter|mother|father|mom|mum"
    r"|dad|brother|sister|aunt|auntie|uncle|cousin|nephew|niece|"
    r"grand(?:mother|father|son|daughter|ma|pa|parent|child)|roommate|fianc[eé]e?|girlfriend|boyfriend|guardian"
    r"|caregiver|caretaker|landlord|coworker|boss|stepson|stepdaughter|"
    r"stepmother|stepfather|(?:mother|father|brother|sister|son|daughter)-in-law|godmother|godfather|twin|ex-wife"
    r"|ex-husband|emergency contact|next of kin|nok|poa|proxy|big|little|old|young)"
)
CAP = r"\p{Lu}[\p{L}\p{M}'’-]+"
NAME_RUN = rf"{CAP}(?:[ ,]+(?:(?:de|del|la|van|von|al|el|bin)[ -])*{CAP}|\s+\p{{Lu}}\.)*"
CONTEXT = [
    R(rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Mister|Señora?|Sra?|Don|Doña)\b\.?\s+({NAME_RUN})"),
    R(rf"(?i:\b{KIN}),?\s+(?:named |called |is |, )?({NAME_RUN})"),
    R(rf"({NAME_RUN})\s*\((?i:{KIN})\b"),
    R(
        rf"(?i:\b(?:pt|patient|name|re|regarding|born|née|nee|aka|a\.k\.a\.|alias|goes by|known as|calls (?:him"
        rf"|her)self|called|nickname[d]?|surname|signed|witness(?:ed by)?|consent from|relabelled for"
        rf"|dropped off by|on behalf of|dictating on|dictation on|d/w|spoke with))\s*:?\s+[\"“']?({NAME_RUN})"
    ),
    R(r"[\"“]([\p{Lu}][\p{L}]+)[\"”]"),
    R(r"(?i:\bthe )(\p{Lu}[\p{L}\p{M}'’-]+(?:s|z))(?= (?:were|was|are|updated|have|agree|live|called|family))"),
]
CLOSES = R(r"(?: \p{Lu}\.?)?\)")
WHO_AFTER = R(rf"(?i)\s*\({KIN}\)")
HYPHENATED = R(r"(?<![\p{L}\d-])\p{Lu}\p{L}*(?:-\p{L}+)+(?![\p{L}\d-])")
SPELLED = R(
    r"(?<![\p{L}\d-])\p{L}(?:[-–][\p{L}])+(?![\p{L}-])|(?<![\p{L}\d.])\p{Lu}(?:[. ]{1,2}\p{Lu}){2,}(?![\p{L}\d])"
)
SPELLED_CUE = R(r"(?i)spell(?:ed|s|ing)?(?:\s+(?:is|as|it|out|name))*[:,]?\s*$")
INITIALS = R(r"(?<![\p{L}\d.])(?<a>\p{Lu})\.[ ]?(?:(?<a>\p{L})\.[ ]?)?(?<a>\p{L})(?:\.|(?![\p{L}\d&]))(?![\p{L}\d])")
BARE_INITIALS = R(
    r"(?i:(?:\b(?:pt|patient|from|by|re|with|for|initials?)|,|w/)\s*:?\s*)(\p{Lu}{2,3})(?=\s*(?:[,.;)|(]|$"
    r"|reports|says|was|is|states|tolerated|called|admitted))"
)
NUMBER = R(r"\d{4}|\d\D?\d\D?\d\D?\d")
SINGLE = R(r"(?<![\p{L}\d'’/&-])(\p{Lu})(\.?)(?![\p{L}\d'’&/])")
EPONYM_AFTER = R(
    r"(?i)^['’]?s?\s*(?:[-–]\s*)?(?:(?:coma|family|valley|point|body|cell|and|or)\s+)?(?:disease|syndrome|signs?"
    r"|scores?|scale|lymphoma|catheter|virus|tests?|thurner|hegglin|fracture|criteria|classification|phenomenon|"
    r"contracture|palsy|paralysis|nodes?|tumou?r|ulcer|esophagus|oesophagus|thyroiditis|sarcoma|index|stage|grade"
    r"|dementia|disorder|reflex|procedure|operation|anemia|arteritis|purpura|"
    r"chorea|ataxia|staining|stain|method|maneuver|manoeuvre|position|tube|drain|line|pump|mask|splint|nail|plate"
    r"|hernia|cyst|duct|triad|law|rule|ring|rings|gait|rash|spots?|encephalopathy|"
    r"negative|positive|absent|present|lines|agent|bodies|neuroma|area|triangle|crisis|hoarseness|nodule|block"
    r"|bundle|parkinsonism|agitation|performance|spasm|hospital|valley medical|medical center)\b"
)
EPONYM = R(
    r"(?i)(?<![\p{L}])(?:Parkinson|Hodgkin|Crohn|Wilson|Graves|Wells|Homans|Romberg|Babinski|Apgar|Norwalk|Foley"
    r"|Glasgow|May[- ]Thurner|Alzheimer|Addison|Cushing|Down|Marfan|Hashimoto|Huntington|Paget|Barrett|Bell"
    r"|Raynaud|Sjogren|Sjögren|"
    r"Kaposi|Ewing|Burkitt|Whipple|Meniere|Ménière|Tourette|Turner|Klinefelter|Still|Behcet|Reye|Reiter|Lewy"
    r"|Murphy|McBurney|Kernig|Brudzinski|Phalen|Tinel|Lachman|Dupuytren|Charcot|Virchow|Weber|Rinne|"
    r"Child[- ]Pugh|Epstein[- ]Barr|Guillain[- ]Barr[eé]|Lyme|Coxsackie|Swan[- ]Ganz|Gram|Heimlich|Valsalva"
    r"|Trendelenburg|Kegel|Ranson|Mallampati|Mobitz|Wenckebach|Holter|Doppler|Gleason|Karnofsky|Braden|Morse|"
    r"Colles|Baker|Osgood|Legg|Chiari|Arnold[- ]Chiari|Hirschsprung|Kawasaki|Takayasu|Wegener|Goodpasture"
    r"|Waldenstrom|Waldenström|Willebrand|von Willebrand|Brown[- ]S[eé]quard|Ramsay Hunt|Stevens[- ]Johnson"
    r"|Wolff[- ]Parkinson[- ]White|Peyronie|Pick|Pott|Rett|Sheehan|"
    r"Moro|Ortolani|Barlow|Chvostek|Trousseau|Osler|Janeway|Roth|Koplik|Hoffman|Hoffmann|Spurling|Hawkins|Neer"
    r"|Drawer|Thompson|Simmonds|Allen|Schober|Patrick|Gaenslen|Ottawa|Nexus|Duke|Framingham|Norton|Bristol"
    r"|Rockall|Hunt and Hess|Fisher|Mohs|Billroth|Roux|Nissen|Hickman|Jackson[- ]Pratt|Penrose|Yankauer|Bacillus"
    r"|West Nile|Newcastle|Marburg|Hendra|Hanta|Zika|Ebola)(?=(?P<tail>.{0,40}))"
)
DESCRIPTION = [
    R(
        r"(?i)\b(?:the (?:town|city|county|state|village|country|nation|valley|world|region|district)['’]s|"
        r"(?:winner|author|founder|owner|subject|star|hero|host|survivor) of (?:the|a|an)) [^.,;|\n]{3,60}?(?=\s+"
        r"(?:and|but|who|if|when)\s|\s*[.,;|\n]|$)"
    ),
    R(
        r"(?i)\b(?:recogni[sz]e[sd]?|known|remember\w*|famous|identified|describe[sd]?|well[- ]known|introduced"
        r"|served|serves|elected|retired|works|worked|working|featured|celebrated)\s+(?:(?:him|her|them|it"
        r"|himself|herself|locally|here|nationally)\s+)?(?:in \w+ )?(?:as|for being)\s+\K(?:the|a|an|our|his"
        r"|her)?\s*[^.,;|\n]{3,80}?(?=\s+(?:and|but|who|if|when|no|take|walks)\s|\s*[.,;|\n]|$)"
    ),
    R(
        r"(?i)\b(?:is|was|being|our|as)\s+\K(?:the |our )?(?:(?:former|current|sitting|retired|acting|deputy"
        r"|long-?time|reigning|only|first|longest-serving|local|state|national|world|county|town|city|village"
        r"|olympic)\s+){1,3}[\p{L}'’-]+(?: [\p{L}'’-]+){0,3}? (?:of|in|for|at) [^.,;|\n]{3,40}?(?=\s+(?:and|but"
        r"|who|if|when)\s|\s*[.,;|\n]|$)"
    ),
    R(
        r"(?i)\bthe (?:(?:former|current|sitting|retired|acting|deputy|long-?time|reigning|only|first"
        r"|longest-serving|local|state|oldest)\s+)*(?:mayor|vice[- ]mayor|governor|senator|congress(?:man|woman)"
        r"|representative|sheriff|fire chief|police chief|chief of police|champion|bishop|judge|principal"
        r"|superintendent|bell ringer|harpist|lighthouse keeper|postmaster|mail carrier|organist|weather(?:man"
        r"|caster)|anchor(?:man|woman)?|news anchor|coach|astronaut|lottery winner|town clerk|librarian|ferryman"
        r"|beekeeper|clockmaker|imam|rabbi|pastor|priest)(?:'s)?\b(?: (?:of|in|at|for|from) (?:the )?"
        r"(?-i:\p{Lu}[\p{L}'’]+(?: \p{Lu}[\p{L}'’]+)*))?"
    ),
]
DAY_BEFORE = R(r"(?i)\b(?:Mon|Tues?|Weds?|Wednes|Thu(?:rs?)?|Fri|Satur|Sat|Sun)(?:day)?\.?,?[ ]+(?:the )?$")
SITE_TAIL = (
    r"(?:\s+(?:Elementary|Middle|High|Primary|Unified|Community|Public|Senior|Junior|County|Volunteer|Fire|Police"
    r"|City|Town|State|Municipal|First|Baptist|Methodist|Catholic|Lutheran|School|District|College|University"
    r"|Academy|Church|Temple|Mosque|Library|Station|Department|Center|Centre|Hall|Museum|Farm|Farms|Market|Diner"
    r"|Cafe|Bakery|Mill|Mills|Nursery|Parish|Preschool|Daycare|Kindergarten|Shelter|Club|Association|YMCA|Rotary"
    r"|Choir|Brewery|Hardware|Bank|Post|Office))*"
)
INSTITUTION = R(
    r"(?:\p{Lu}[\p{L}'’.]+\s+){1,3}(?:Elementary|Middle School|High School|Primary School|School|Academy|College"
    r"|Church|Temple|Mosque|Public Library|Library|Fire Department|Police Department)\b(?: School)?"
)
SENTENCE_START = R(r"(?:^|[.!?;:|\n(]|\n\s*[-*•]|^\s*[-*•])\s*$")
CLINICAL_CAPS = set(
    words("""
    Foley Glasgow Coma Scale Apgar Norwalk Wilson Romberg Babinski Homans Wells Graves Hodgkin Crohn
    Parkinson Thurner FLAIR MRI HbA1c Hgb WBC eGFR LDL HDL INR GCS BP HR Medicare Medicaid English
    Spanish Arabic Vietnamese Hindi Chinese American Tylenol Lipitor Doppler Holter Gram Valsalva
    COVID Zoom January Monday Tuesday Wednesday Thursday Friday Saturday Sunday Ringer Doctor Dr
    Nurse Physician Emergency Department Clinic Hospital Center""")
)


def mrn_pattern(formats):
    """The record number formats of the card, however the signs are spaced or joined."""
    parts = []
    for shape in formats.values():
        signs = [c for c in shape if c.isalnum() or c in "#@"]
        if all(c == "#" for c in signs):
            half = len(signs) // 2
            parts.append(rf"\d{{{half}}}[ -]?\d{{{len(signs) - half}}}")
        else:
            # With blanks inside, only in capitals: "at 216 555" is no AT216555.
            for letter, gap in ((r"\p{L}", r"[._/-]{0,2}"), (r"(?-i:\p{Lu})", r"[ ._/-]{0,2}")):
                parts.append(gap.join({"#": r"\d", "@": letter}.get(c, regex.escape(c)) for c in signs))
    body = "|".join(dict.fromkeys(parts)) or r"(?!)"
    return R(rf"(?i)(?<![\p{{L}}\d])#?(?:{body})(?![\p{{L}}\d])")


class Engine:
    def __init__(self, network, card):
        self.net = network
        self.mrn = mrn_pattern(card.get("mrn_format", {}))
        self.as_of_year = int(str(card.get("as_of", "2026"))[:4])
        self.done = {}
        place = network.city_names
        self.site = R(rf"(?i)(?<![\p{{L}}])(?:{place})(?-i:{SITE_TAIL})(?![\p{{L}}])")
        self.described = R(
            rf"(?i)\b(?:the|our) +(?!spouse|child|clinic|hospital|patient|visit)(?:(?!(?:is|was|and|to|on|lives?"
            rf"|with|has|were|near|sent|moved|by|from|of|in|that|as|her|him|them"
            rf"|recogni[sz]ed) )[\p{{L}}'’-]+ +){{1,6}}(?:of|in|for|at) +(?:{place})(?![\p{{L}}])"
        )

    # ---- rules that know the network

    def places(self, text):
        for label, shape in (
            ("PLACE", self.site),
            ("PLACE", self.net.place_re),
            ("EMPLOYER", self.net.employer_re),
            ("ZIP", self.net.zip_re),
            ("DESCRIPTION", self.described),
            ("PLACE", INSTITUTION),
        ):
            for m in shape.finditer(text):
                if label == "PLACE" and m.group().islower() and " " not in m.group():
                    continue
                yield m.start(), m.end(), label
        for shape in DESCRIPTION:
            for m in shape.finditer(text):
                yield m.start(), m.end(), "DESCRIPTION"

    def forms(self, text, person):
        for m in self.mrn.finditer(text):
            yield m.start(), m.end(), "MRN"
        if person:
            for s, e in person.known_numbers(text):
                yield s, e, "ID"
            low = text.casefold()
            if len(low) == len(text):
                for street in person.streets:
                    at = low.find(street)
                    while at >= 0:
                        yield at, at + len(street), "ADDRESS"
                        at = low.find(street, at + 1)
            if (
                person.birth_year
                and self.as_of_year - int(person.birth_year or 0) >= 89
                and person.birth_year.isdigit()
            ):
                for m in regex.finditer(rf"(?<!\d){person.birth_year}(?!\d)", text):
                    yield m.start(), m.end(), "DATE"
        skip = {label for label, guard in GUARDS.items() if not guard.search(text)}
        for label, shape in LABELLED:
            if label in skip:
                continue
            for m in shape.finditer(text):
                yield m.start(), m.end(), label
        for m in SHORT_DATE.finditer(text):
            if not NOT_DATE_BEFORE.search(text[max(0, m.start() - 30) : m.start()]) and not NOT_DATE_AFTER.match(
                text, m.end()
            ):
                yield m.start(), m.end(), "DATE"

    # ---- names

    def protected(self, text):
        """Spans no name rule may touch: hospitals, eponyms in use as eponyms."""
        spans = [(m.start(), m.end()) for m in self.net.hospital_re.finditer(text)]
        for m in EPONYM.finditer(text):
            if EPONYM_AFTER.match(m["tail"]) and not regex.search(
                r"(?i)\b(?:mr|ms|mrs|miss)\.?\s*$", text[max(0, m.start() - 6) : m.start()]
            ):
                spans.append((m.start(), m.end() + len(EPONYM_AFTER.match(m["tail"]).group())))
        return spans

    def names(self, text, person, taken):
        net = self.net
        tokens = []
        own_short = {w for w in person.names if len(w) == 1} if person else set()
        for m in WORD.finditer(text):
            f = fold(m.group())
            start, end = m.span()
            if text[start - 1 : start] == "&" and text[end : end + 1] == ";" or end - start == 1 and f not in own_short:
                continue
            if len(f) > 2 and f[-2:] in ("'s",):
                f, end = f[:-2], end - 2
            tokens.append([start, end, text[start:end], f, False])
        own = person.names if person else set()
        nick = person.nick if person else set()
        n = len(tokens)
        kind = [None] * n

        def near(i, j):
            """Tokens i and j stand together as the parts of a name do."""
            if not (0 <= i < n and 0 <= j < n):
                return False
            gap = text[tokens[min(i, j)][1] : tokens[max(i, j)][0]]
            return (
                len(gap) <= 9
                and regex.fullmatch(
                    r"[ \u00a0]*(?:&\w+;)?[ ,/\-\u00a0]{0,3}(?:\p{L}\.?[ \u00a0])?|-|\.?[ ]?|\n[ ]?|'|’", gap
                )
                is not None
                and "\n\n" not in gap
            )

        def start_of_sentence(i):
            return (
                SENTENCE_START.search(
                    text[max(0, tokens[i][0] - 6) : tokens[i][0]] if tokens[i][0] > 6 else text[: tokens[i][0]]
                )
                is not None
            )

        def in_brackets(i):
            """Alone in brackets, as in "man (Ward)", or before brackets that say who: "An (spouse)"."""
            start, end = tokens[i][:2]
            return (text[start - 1 : start] == "(" and CLOSES.match(text, end)) or WHO_AFTER.match(text, end)

        def initial_before(i):
            return (
                regex.search(r"(?<![\p{L}\d])\p{L}\.[ ]?$", text[max(0, tokens[i][0] - 4) : tokens[i][0]]) is not None
            )

        def title_before(i):
            return (
                i > 0
                and (
                    tokens[i - 1][3] in ("mr", "ms", "mrs", "miss", "mx")
                    or tokens[i - 1][3] in ("pt", "patient")
                    and tokens[i][2][0].isupper()
                )
                and near(i - 1, i)
            )

        mask = bytearray(len(text))
        for a, b in taken:
            mask[a:b] = b"\1" * (b - a)
        for i, (s, e, raw, f, _) in enumerate(tokens):
            if any(mask[s:e]):
                continue
            base = f if f in own else None
            if base is None and raw[0].isupper() and len(f) > 3:
                if f.endswith("es") and f[:-2] in own:
                    base = f[:-2]
                elif f.endswith("s") and f[:-1] in own:
                    base = f[:-1]
                if base:
                    kind[i] = "sure" if base not in PARTICLES else None
                    continue
            if base is None:
                if raw[0].isupper() and f in nick and f not in net.common and f not in net.ambiguous:
                    kind[i] = "sure"
                elif raw[0].isupper() and f in nick and not start_of_sentence(i):
                    kind[i] = "sure"
                elif raw.isupper() and text.startswith(":", e):
                    pass  # a heading, "LOC:", though somebody else is called Lộc
                elif raw[0].isupper() and f in net.names and f not in net.ambiguous and f not in CLINICAL_CAPS:
                    kind[i] = "sure"
                elif raw[0].isupper() and f in net.names:
                    kind[i] = "maybe"
                elif (
                    raw[0].isupper()
                    and len(f) >= 5
                    and f not in net.common
                    and f not in CLINICAL_CAPS
                    and self.close(f, own)
                ):
                    kind[i] = "sure"
                continue
            if base in PARTICLES and base not in person.whole:
                kind[i] = "particle"
            elif base not in net.ambiguous:
                kind[i] = "sure"
            elif raw[0].isupper():
                weak = (
                    start_of_sentence(i)
                    and not in_brackets(i)
                    and (net.title[base] > max(3, net.total // 100) or base in net.common)
                )
                kind[i] = "own" if weak and not title_before(i) else "sure"
            else:
                kind[i] = "own"
        # weak evidence becomes good beside a name
        for _ in range(3):
            for i in range(n):
                if kind[i] in ("own", "particle", "maybe"):
                    beside = [j for j in (i - 1, i + 1) if near(i, j) and kind[j]]
                    if title_before(i) or kind[i] != "maybe" and tokens[i][2][0].isupper() and initial_before(i):
                        kind[i] = "sure"
                    elif any(kind[j] == "sure" for j in beside) and (tokens[i][2][0].isupper() or kind[i] != "maybe"):
                        kind[i] = "sure"
                    elif (
                        kind[i] in ("own",)
                        and person
                        and any(
                            kind[j] in ("own", "particle")
                            and any({tokens[i][3], tokens[j][3]} <= group for group in person.sets)
                            for j in beside
                        )
                    ):
                        kind[i] = "sure"
                    elif kind[i] == "own" and tokens[i][2][0].isupper() and i + 1 < n and tokens[i + 1][3] in VERBS:
                        kind[i] = "sure"
                    elif kind[i] == "own" and tokens[i][2].isupper() and len(tokens[i][2]) > 2:
                        line = text[
                            text.rfind("\n", 0, tokens[i][0]) + 1 : (text.find("\n", tokens[i][0]) + 1 or len(text) + 1)
                            - 1
                        ]
                        if not line.rstrip(": ").isupper():
                            kind[i] = "sure"
        spans = [(tokens[i][0], tokens[i][1]) for i in range(n) if kind[i] == "sure"]
        # joined with digits or underscores: tturner1958, turner_tom
        if person:
            for m in regex.finditer(r"(?<![\p{L}\d])[\p{L}]*(?:[_.]?[\p{L}]+)*[_.]?\d+(?![\p{L}\d])", text):
                letters = fold("".join(c for c in m.group() if c.isalpha()))
                if len(letters) >= 5 and any(len(w) >= 4 and w in letters for w in own):
                    spans.append(m.span())
            # a hyphen in the wrong place, or a slip beside it: Al-Shami, AlS-hami
            for m in HYPHENATED.finditer(text):
                letters = fold("".join(c for c in m.group() if c.isalpha()))
                if letters in person.joined or (len(letters) >= 6 and self.close(letters, person.joined)):
                    spans.append(m.span())
        # contexts
        for shape in CONTEXT:
            for m in shape.finditer(text):
                for w in WORD.finditer(text, m.start(1), m.end(1)):
                    f = fold(w.group())
                    if f in PARTICLES or (
                        f not in net.common
                        and f not in CLINICAL_CAPS
                        and f not in STOP
                        and f not in net.clinical
                        and net.title[f] <= max(3, net.total // 50)
                    ):
                        spans.append(w.span())
                    else:
                        break
        # a capitalised word inside a sentence that hardly anyone else's text has
        for i, (s, e, raw, f, _) in enumerate(tokens):
            if (
                kind[i] is None
                and len(f) > 2
                and raw[0].isupper()
                and not raw.isupper()
                and f not in CLINICAL_CAPS
                and f not in STOP
                and f not in net.clinical
            ):
                if net.lower[f] == 0 and net.title[f] <= max(2, net.total // 400) and not start_of_sentence(i):
                    spans.append((s, e))
        spans = [(s, e) for s, e in spans if not any(mask[s:e])]
        spans += self.letters(text, person, spans, taken)
        return spans

    def letters(self, text, person, spans, taken):
        """Initials and spelled names."""
        out = []
        known = person.initials if person else set()
        joined = {"".join(c for c in w if c.isalpha()) for w in (person.names if person else ())}
        for m in SPELLED.finditer(text):
            word = fold("".join(c for c in m.group() if c.isalpha()))
            if (
                word in joined
                or SPELLED_CUE.search(text[max(0, m.start() - 30) : m.start()])
                or ("-" in m.group() and len(word) > 3)
            ):
                out.append(m.span())
        for m in INITIALS.finditer(text, overlapped=True):
            letters = fold("".join(m.captures("a")))
            if letters in known:
                out.append(m.span())
            elif len(letters) > 2 and letters[:2] in known:
                out.append((m.start(), m.start() + m.group().find(".", m.group().find(".") + 1) + 1))
        for m in BARE_INITIALS.finditer(text):
            if fold(m[1]) in known and not regex.match(r"(?:MD|RN|PT|OT|ED|ER|IV|CT|MI|HR|BP|RA|PA|NP|DO)$", m[1]):
                out.append(m.span(1))
        starts, ends = {s for s, _ in spans}, {e for _, e in spans}
        for m in SINGLE.finditer(text):
            s, e = m.span()
            if (
                regex.match(r"[ \u00a0]?(?:\p{Lu}\.[ ]?)?", text[e : e + 4])
                and any(p in starts for p in range(e, e + 3))
                and "\n" not in text[e : e + 2]
                and text[e : e + 2].strip() in ("", text[e : e + 2].strip()[:1])
            ):
                if m[2] or text[e : e + 1] == " ":
                    out.append((s, e))
                    continue
            before = text[max(0, s - 3) : s]
            if (
                before.endswith((" ", ", ", "\u00a0"))
                and any(p in ends for p in (s - 1, s - 2))
                and "." not in before
                and person
                and any(fold(m[1]) == k[0] or fold(m[1]) in k[1:] for k in known)
            ):
                out.append((s, e))
        return [(s, e) for s, e in out if not any(a < e and s < b for a, b in taken)]

    @staticmethod
    def close(word, own):
        """One slip of the pen away from a name of five letters or more."""
        for name in own:
            if len(name) < 5 or abs(len(name) - len(word)) > 1 or name == word:
                continue
            if len(name) == len(word):
                diff = [k for k in range(len(name)) if name[k] != word[k]]
                if len(diff) == 1 or (
                    len(diff) == 2
                    and diff[1] == diff[0] + 1
                    and name[diff[0]] == word[diff[1]]
                    and name[diff[1]] == word[diff[0]]
                ):
                    return True
            else:
                a, b = sorted((name, word), key=len)
                if any(b[:k] + b[k + 1 :] == a for k in range(len(b))):
                    return True
        return False

    # ---- all together

    def spans(self, text, person):
        found = list(self.forms(text, person))
        taken = [(s, e) for s, e, label in found]
        hospital = [m.span() for m in self.net.hospital_re.finditer(text)]
        found += [(s, e, label) for s, e, label in self.places(text) if not any(a < e and s < b for a, b in hospital)]
        taken = [(s, e) for s, e, label in found] + self.protected(text)
        found += [(s, e, "NAME") for s, e in self.names(text, person, taken)]
        return found

    def clean(self, text, person):
        """The text with labels for what must go. Short texts that name nobody are remembered: tables repeat them."""
        if not text:
            return text
        if len(text) > 200:
            return self.label(text, person)
        plain = not NUMBER.search(text) and not any(w in self.net.names for w in words(text))
        memory = (text, None if plain or person is None else person.id)
        if memory not in self.done:
            self.done[memory] = self.label(text, person)
        return self.done[memory]

    def label(self, text, person):
        found = sorted((s, e, label) for s, e, label in self.spans(text, person) if e > s)
        for k, (s, e, label) in enumerate(found):  # the day of the week goes with its date
            if label == "DATE" and (m := DAY_BEFORE.search(text[max(0, s - 16) : s])):
                found[k] = s - len(m.group()), e, label
        found.sort()
        merged = []
        for s, e, label in found:
            if merged and s < merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], e)
                if merged[-1][2] == "ID":
                    merged[-1][2] = label
            else:
                merged.append([s, e, label])
        out, at = [], 0
        for s, e, label in merged:
            out += [text[at:s], f"[{label}]"]
            at = e
        return "".join(out) + text[at:]


VERBS = set(
    "family household residence family's was is has had says said reports reported denies denied tolerated given "
    "improved will can prefers helps lives works takes asked agrees knows understands states stated feels comes "
    "presents walks moved called admitted seen wants may needs doing did does and".split()
)
STOP = set(
    "the and with for from this that his her she him they them was were has had have not but are our your their "
    "who when then than there here into over per prn".split()
)
