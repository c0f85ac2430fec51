"""Free text: tokens go through the machine, then through the patient's own names and numbers; marked ones are replaced.

Every token has at most one mark. "KEEP" comes first and is never overwritten, save by the patient's own numbers.
"""

from collections import Counter
from functools import lru_cache

from deid_machine import Machine
from deid_people import fold
from deid_policy import OLD
from deid_rules import MACROS, RULES
from deid_tokens import tokens_of
from deid_words import COMMON, FORM_WORDS
from rapidfuzz.distance import OSA

GAPS = 4  # signs that may stand within a number or a name of the patient
PARTICLES = {"de", "la", "del", "al", "el", "van", "von", "bin", "abu", "big", "little", "old", "young", "uncle",
             "aunt"}


class Scrubber:
    def __init__(self, directory, policy, corpus):
        self.directory, self.policy = directory, policy
        self.machine = Machine(RULES, MACROS)
        names = directory.givens | directory.families
        lower, upper = Counter(), Counter()
        for text in corpus:
            for word in {t.raw for t in tokens_of(fold(text)) if "WORD" in t.tags}:
                (lower if word.islower() else upper)[word.lower()] += 1
        few = max(8, len(corpus) // 300)
        self.common = COMMON | {w for w, n in lower.items() if n > upper[w] and (w not in names or n > few)}
        often = max(3, len(corpus) / 100)
        self.not_names = self.common | FORM_WORDS | {w for w in lower | upper if lower[w] + upper[w] > often}
        self.places = trie({*directory.places, *directory.zips})
        self.employers, self.hospitals = trie(directory.employers), trie(directory.organizations)
        self.read = lru_cache(maxsize=2000)(self._read)
        self.sought = lru_cache(maxsize=None)(self._sought)
        self.own_word = lru_cache(maxsize=200_000)(self._own_word)

    def scrub(self, text, patient_id):
        if not text:
            return text
        tokens, marks, squeezed = self.read(text)
        marks = list(marks)
        self.mark_names(tokens, marks, patient_id)
        numbers, full_names, born = self.sought(patient_id)
        for what, kind in [(n, "ID") for n in numbers] + [(n, "NAME") for n in full_names]:
            for i, j in find_squeezed(squeezed, what, tokens):
                marks[i:j] = [kind] * (j - i)
        for i in range(len(tokens)):
            self.mark_birthday(tokens, marks, i, born)
        return replace(text, tokens, marks)

    # ---- what can be told whoever the patient is

    def _read(self, text):
        tokens = tokens_of(fold(text))
        for i, j in find_phrases(self.places, tokens):
            tokens[i].tags = tokens[i].tags | {"HERE"}
        found = list(self.machine.run(tokens))
        found += [(i, j, "PLACE") for i, j in find_phrases(self.places, tokens) if tokens[i].low not in FORM_WORDS]
        found += [(i, j, "EMPLOYER") for i, j in find_phrases(self.employers, tokens)]
        keep = [(i, j, "KEEP") for i, j in find_phrases(self.hospitals, tokens)]
        marks = [""] * len(tokens)
        for i, j, kind in keep + sorted(found, key=lambda f: f[2] != "KEEP"):
            if kind in ("NAME", "PLACE") and "I" not in tokens[i].tags and tokens[i].low in FORM_WORDS \
                    and "RELATION" not in tokens[i].tags and (i == 0 or "TITLE" not in tokens[max(0, i - 2)].tags):
                continue
            if kind == "URL" and tokens[j - 1].raw in ".,;)":
                j -= 1
            for k in range(i, j):
                if not marks[k] and tokens[k].raw != "\n":
                    marks[k] = kind
        return tokens, marks, squeeze(tokens)

    # ---- names of the patient and the patient's people

    def _own_word(self, raw, patient_id):
        """"sure", "maybe" or "": may this word be a name of the patient's people?"""
        names = self.directory.people[patient_id].names
        low = raw.lower().replace("'s", "").rstrip("'")
        options = {low, raw.lower(), low.replace("'", "")}
        if raw[0].isupper() and len(low) > 3:
            options |= {low[:-1]} if low.endswith("s") else set()
            options |= {low[:-2]} if low.endswith("es") else set()
        found = options & names
        if found:
            if raw[0].islower():
                return "" if found & self.common or max(map(len, found)) < 4 else "sure"
            return "maybe" if found <= self.common or max(map(len, found)) < 3 else "sure"
        if len(low) >= 5 and raw[0].isupper() and low not in self.not_names:
            for name in names:
                near = 1 if len(name) < 8 else 2
                if len(name) >= 5 and name[0] == low[0] and OSA.distance(name, low, score_cutoff=near) <= near:
                    return "sure"
        return ""

    def mark_names(self, tokens, marks, patient_id):
        own = [self.own_word(t.raw, patient_id) if "WORD" in t.tags else "" for t in tokens]
        letters = {name[0] for name in self.directory.people[patient_id].names}
        for i, token in enumerate(tokens):
            is_name = own[i] == "sure" or own[i] == "maybe" and self.stands_as_name(tokens, own, i, letters)
            if marks[i] != "KEEP" and is_name:
                marks[i] = "NAME"
                extend(tokens, marks, i)
            elif "I" in token.tags and (j := initials(tokens, i, letters)) > i:
                marks[i:j] = ["NAME"] * (j - i)
            elif "CAP" in token.tags and not marks[i]:
                self.mark_others(tokens, marks, i)

    def mark_others(self, tokens, marks, i):
        """Other people of the network: given and family name in either order."""
        j = i + 2 if i + 2 < len(tokens) and tokens[i + 1].raw == "," else i + 1
        if j < len(tokens) and "CAP" in tokens[j].tags and not marks[j]:
            pair = (tokens[i].low, tokens[j].low)
            if (pair if j == i + 1 else pair[::-1]) in self.directory.full_names:
                marks[i:j + 1] = ["NAME"] * (j + 1 - i)

    def stands_as_name(self, tokens, own, i, letters):
        """A word that is also a common word is a name where a name can stand. First match in the table counts."""
        token = tokens[i]
        before, after = (tokens[k] if 0 <= k < len(tokens) else None for k in (i - 1, i + 1))
        start = before is None or before.raw in "\n|.!?:-*"
        table = [
            (token.raw.islower(), False),
            (before and "TITLE" in before.tags or before and before.raw == "." and "TITLE" in tokens[i - 2].tags, True),
            (any(0 <= k < len(tokens) and own[k] and tokens[k].raw != "may" for k in (i - 1, i + 1)), True),
            (before and before.raw == "," and i > 1 and own[i - 2] or after and after.raw == "," and
             i + 2 < len(tokens) and own[i + 2] and "CAP" in tokens[i + 2].tags, True),
            (before and (before.raw == "." and "I" in tokens[i - 2].tags or "I" in before.tags), True),
            (after and "I" in after.tags and after.low in letters, True),
            (start and token.raw.isupper() and len(token.raw) > 1, False),
            (after and ("DOES" in after.tags or token.low.endswith("'s") or after.raw == "'"), True),
            (after and after.raw in "(," and i + 2 < len(tokens) and "NUM" in tokens[i + 2].tags, True),
            (True, not start),
        ]
        return next(verdict for holds, verdict in table if holds)

    # ---- numbers of the patient

    def _sought(self, patient_id):
        person = self.directory.people[patient_id]
        numbers = {bare(x) for x in person.numbers | person.literals}
        full = set()
        for given, family in person.full_names:
            g, f = bare(given), bare(family)
            if g and f:
                full |= {g + f, f + g} | ({g[0] + f} if len(f) > 3 else set()) \
                    | ({f} if " " in family and len(f) > 3 else set())
        return {x for x in numbers if len(x) > 4}, full, person.birth_date

    def mark_birthday(self, tokens, marks, i, born):
        """"RP 14/3": initials, day and month of birth. A birth year of somebody of 90 or more."""
        token = tokens[i]
        if not born:
            return
        if token.raw == born[:4] and self.policy.birth_year(born) == OLD:
            marks[i] = "DATE"
        if token.raw == "'" and i + 1 < len(tokens) and tokens[i + 1].raw == born[2:4] \
                and self.policy.birth_year(born) == OLD:
            marks[i + 1] = "DATE"
        row = tokens[i:i + 4]
        if "SHOUT" in token.tags and len(row) == 4 and row[2].raw == "/" and row[1].raw.isdigit() \
                and row[3].raw.isdigit() and {int(row[1].raw), int(row[3].raw)} == {int(born[5:7]), int(born[8:10])}:
            marks[i:i + 4] = ["ID"] * 4


def extend(tokens, marks, i):
    """A name with its initials, particles and hyphenated halves."""
    if i and ("I" in tokens[i - 1].tags or tokens[i - 1].low in PARTICLES and "CAP" in tokens[i - 1].tags):
        marks[i - 1] = marks[i - 1] or "NAME"
    if i > 1 and tokens[i - 1].raw == "." and "I" in tokens[i - 2].tags:
        marks[i - 2] = marks[i - 1] = "NAME"
    if i > 1 and tokens[i - 1].raw == "-" and tokens[i].glued and tokens[i - 1].glued and "CAP" in tokens[i - 2].tags:
        marks[i - 2] = marks[i - 1] = "NAME"
    row = tokens[i + 1:i + 4]
    if len(row) > 1 and row[0].raw == "-" and row[0].glued and row[1].glued and "CAP" in row[1].tags:
        marks[i + 1] = marks[i + 2] = "NAME"
    elif row and "I" in row[0].tags and not row[0].glued:
        if len(row) == 1 or not row[1].glued or row[1].raw in "|,.(":
            marks[i + 1] = marks[i + 1] or "NAME"
    elif len(row) > 1 and row[0].raw == "," and "I" in row[1].tags:
        marks[i + 2] = marks[i + 2] or "NAME"


def initials(tokens, i, letters):
    """Where "J. C." ends that begins at i, or i: two letters or more, each the first of an own name."""
    j = i
    while j + 1 < len(tokens) and "I" in tokens[j].tags and tokens[j].low in letters and tokens[j + 1].raw == ".":
        j += 2
    return j if j >= i + 4 else i


# ---- phrases and squeezed texts --------------------------------------------------------------------


def trie(phrases):
    root = {}
    for phrase in phrases:
        node = root
        for token in tokens_of(phrase):
            if "ALNUM" in token.tags:
                node = node.setdefault(token.low, {})
        node[""] = {}
    root.pop("", None)
    return root


def find_phrases(root, tokens):
    """(start, end) of phrases, the longest at each place; signs between their words do not matter."""
    for i, token in enumerate(tokens):
        node, j, end = root, i, -1
        while j < len(tokens) and (tokens[j].low in node or j > i and tokens[j].raw in ",-&'.\n"):
            node = node.get(tokens[j].low, node)
            j += 1
            end = j if "" in node and "ALNUM" in tokens[j - 1].tags else end
        if end > i and token.low in root:
            yield i, end


def bare(text):
    return "".join(c for c in fold(text).lower() if c.isalnum()).lstrip("0")


def squeeze(tokens):
    """(text of all letters and digits, offset -> token that starts there, offset -> token that ends there)"""
    parts, starts, ends, at = [], {}, {}, 0
    for i, token in enumerate(tokens):
        low = token.low.replace("'", "")
        if "ALNUM" in token.tags:
            starts[at] = i
            zeros = len(low) - len(low.lstrip("0"))
            starts[at + zeros] = i
            at += len(low)
            ends[at] = i
            parts.append(low)
    return "".join(parts), starts, ends


def find_squeezed(squeezed, sought, tokens):
    text, starts, ends = squeezed
    at = text.find(sought)
    while at >= 0:
        i, j = starts.get(at, -1), ends.get(at + len(sought), -1)
        whole = 0 <= i <= j and (not tokens[i].glued or "ALNUM" not in tokens[i - 1].tags)
        if whole and sum("ALNUM" not in t.tags for t in tokens[i:j + 1]) <= max(GAPS, len(sought) // 2):
            yield i, j + 1
        at = text.find(sought, at + 1)


def replace(text, tokens, marks):
    """Runs of marked tokens become one [KIND]."""
    parts, last, i = [], 0, 0
    while i < len(tokens):
        if not marks[i] or marks[i] == "KEEP":
            i += 1
            continue
        j = i
        while j + 1 < len(tokens) and marks[j + 1] == marks[i]:
            j += 1
        end = j
        while end > i and tokens[end].raw in ",;|":
            end -= 1
        parts += [text[last:tokens[i].start], f"[{marks[i]}]"]
        last, i = tokens[end].end, j + 1
    return "".join(parts) + text[last:]
