"""The machine: patterns over tokens, written as text, and the walk that matches them.

    name    the token has the tag      ~name  ... and is glued to the token before     _name  ... and is not
    !name   the next token has not the tag (it is not used up)       &name  it has (likewise)
    x? x* x+   once or not, any number, one or more;  ( x | y )  either;  < x >  the part to remove, else all

Alternatives are tried in order and repeats are greedy; the first way through the whole pattern wins.
"""

NEVER_GLUED_TO = set("./-:_@")


class Rule:
    def __init__(self, kind, pattern, macros):
        self.kind = kind
        for name in sorted(macros, key=len, reverse=True):
            pattern = pattern.replace("{" + name + "}", macros[name])
        for name in sorted(macros, key=len, reverse=True):
            pattern = pattern.replace("{" + name + "}", macros[name])
        words = pattern.split()
        self.tree = parse_either(words)
        if words:
            raise ValueError(f"left over in a rule: {words}")
        self.first = first_tags(self.tree)[0]

    def match(self, tokens, i):
        """(start, end) as numbers of tokens, or None."""
        for j, a, b in walk(self.tree, tokens, i, -1, -1):
            if not cut_short(tokens, j):
                return (a if a >= 0 else i), (b if b >= 0 else j)
        return None


def parse_either(words):
    ways = [parse_row(words)]
    while words and words[0] == "|":
        words.pop(0)
        ways.append(parse_row(words))
    return ways[0] if len(ways) == 1 else ("either", ways)


def parse_row(words):
    row = []
    while words and words[0] != "|" and not words[0].startswith(")"):
        word = words.pop(0)
        if word == "(":
            inner = parse_either(words)
            close = words.pop(0)
            row.append(repeated(inner, close[1:]))
        elif word in "<>":
            row.append(("mark", word))
        else:
            many = word[-1] if word[-1] in "?*+" and len(word.strip("~_!&")) > 1 else ""
            word = word[:-1] if many else word
            sign = word[0] if word[0] in "~_!&" and len(word) > 1 else ""
            row.append(repeated(("token", sign, word[len(sign):]), many))
    return ("row", row)


def repeated(node, many):
    return ("repeat", node, 0 if many in "?*" else 1, 1 if many == "?" else 99) if many else node


def first_tags(node):
    """(tags that a match can begin with, may it be empty?)"""
    kind = node[0]
    if kind == "token":
        return (set(), True) if node[1] in ("!", "&") else ({node[2]}, False)
    if kind == "mark":
        return set(), True
    if kind == "either":
        parts = [first_tags(n) for n in node[1]]
        return set().union(*(p[0] for p in parts)), any(p[1] for p in parts)
    if kind == "repeat":
        tags, empty = first_tags(node[1])
        return tags, empty or node[2] == 0
    tags = set()
    for part in node[1]:
        more, empty = first_tags(part)
        tags |= more
        if not empty:
            return tags, False
    return tags, True


def walk(node, tokens, i, a, b):
    """All ways through a node from token i: (next token, start of the mark, its end)."""
    kind = node[0]
    if kind == "token":
        sign, tag = node[1], node[2]
        here = i < len(tokens)
        if sign in ("!", "&"):
            if (here and tag in tokens[i].tags) == (sign == "&"):
                yield i, a, b
        elif here and tag in tokens[i].tags and (not sign or tokens[i].glued == (sign == "~")):
            yield i + 1, a, b
    elif kind == "mark":
        yield (i, i, b) if node[1] == "<" else (i, a, i)
    elif kind == "either":
        for way in node[1]:
            yield from walk(way, tokens, i, a, b)
    elif kind == "repeat":
        yield from walk_repeat(node[1], tokens, i, a, b, node[2], node[3])
    else:
        yield from walk_row(node[1], 0, tokens, i, a, b)


def walk_row(row, k, tokens, i, a, b):
    if k == len(row):
        yield i, a, b
        return
    for j, c, d in walk(row[k], tokens, i, a, b):
        yield from walk_row(row, k + 1, tokens, j, c, d)


def walk_repeat(node, tokens, i, a, b, least, most):
    if most:
        for j, c, d in walk(node, tokens, i, a, b):
            if j > i:
                yield from walk_repeat(node, tokens, j, c, d, least - 1, most - 1)
    if least <= 0:
        yield i, a, b


def begins(tokens, i):
    """May a match begin here? Not inside a run of letters and digits, nor behind "3." of a longer number."""
    if i == 0 or not tokens[i].glued or "ALNUM" not in tokens[i].tags:
        return True
    before = tokens[i - 1]
    if "ALNUM" in before.tags:
        return False
    behind_number = i > 1 and before.glued and "NUM" in tokens[i - 2].tags
    return not ("NUM" in tokens[i].tags and before.raw in NEVER_GLUED_TO and behind_number)


def cut_short(tokens, j):
    """Does the number or word go on behind token j - 1?"""
    if j >= len(tokens) or not tokens[j].glued or j == 0:
        return False
    if "ALNUM" in tokens[j].tags:
        return "ALNUM" in tokens[j - 1].tags
    follows = j + 1 < len(tokens) and tokens[j + 1].glued and "NUM" in tokens[j + 1].tags
    return tokens[j].raw in "./-" and follows and "NUM" in tokens[j - 1].tags


class Machine:
    """All rules, found by the tags that they can begin with."""

    def __init__(self, rules, macros):
        self.by_tag = {}
        for number, (kind, pattern) in enumerate(rules):
            rule = Rule(kind, pattern, macros)
            for tag in rule.first:
                self.by_tag.setdefault(tag, []).append((number, rule))

    def run(self, tokens):
        """(start, end, kind) of every match, by numbers of tokens; a rule does not look inside its last match."""
        past = {}
        for i, token in enumerate(tokens):
            if not begins(tokens, i):
                continue
            for tag in token.tags:
                for number, rule in self.by_tag.get(tag, ()):
                    if past.get(number, -1) >= i:
                        continue
                    if found := rule.match(tokens, i):
                        if found[1] > found[0]:
                            past[number] = found[1] - 1
                            yield *found, rule.kind
