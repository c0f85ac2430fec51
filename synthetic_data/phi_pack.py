"""A team's private pack: forms of identifiers of its own, which no public solution has seen.

In TOML, one table per form::

    [[form]]
    menu = "phone"                                # the kind of place: a menu of synthetic_data.phi
    name = "star"                                 # its spans have the form "pack.star"
    text = "{phone:0-3}*{phone:3-6}*{phone:6-}"   # what is written; blanks as in `blanks`
    weight = 1.0                                  # beside the menu's other forms, most of which have .5 to 5
    hard = true                                   # a simple pattern misses it

A blank is `{name}`, a part of it from and up to a place `{name:0-3}`, or in one case `{name:upper}`, `{name:lower}`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from synthetic_data import phi
from synthetic_data.phi_dates import MONTHS
from synthetic_data.phi_forms import Form, Menu, Rows, Writer

# Key -> the types it may have, and how to say so.
_KEYS: dict[str, tuple[tuple[type, ...], str]] = {
    "menu": ((str,), "a text"),
    "name": ((str,), "a text"),
    "text": ((str,), "a text"),
    "weight": ((int, float), "a number"),
    "hard": ((bool,), "true or false"),
}
_BLANK = re.compile(r"\{([a-z_]+)(?::(upper|lower|\d*-\d*))?\}")
_SEPARATORS = str.maketrans("", "", "-.() +/")
# Menus whose values are numbers; a blank gives the number alone, so that parts of it can be told by place.
_NUMBERS = frozenset(["phone", "ssn", "mrn", "plan", "account", "plate", "vin", "serial", "licence", "badge"])
_SAME_AS = {"ssn_last": "ssn", "ssn_hash": "ssn", "bare_age": "age"}
# Places for a whole date; a sentence gives the others' place away ("on the {}").
_DATES = ("date", "birth", "day", "past")
_YEAR, _MONTH, _DAY = ("yyyy", "yy"), ("mm", "m", "month", "mon"), ("dd", "d")


@dataclass(frozen=True)
class Forms:
    """Which forms the notes of a data set may use, as something that can be sent to another process.

    reserve: also those that are kept out of practice data.  pack: the team's own, {} for none.
    """

    reserve: bool = True
    pack: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def menus(self) -> Mapping[str, Menu]:
        """The menus to write from. Raises ValueError, naming the form, for a pack that cannot be used."""
        return menus(self.pack) if self.reserve else phi.practice()


ALL_FORMS = Forms()
"""The whole catalogue, without a pack."""


def menus(pack: Mapping[str, Any]) -> Mapping[str, Menu]:
    """Every menu of the catalogue, and in them the pack's forms. Raises ValueError, naming the form."""
    if unknown := sorted(set(pack) - {"form"}):
        raise ValueError(f"a pack has [[form]] tables only, not {', '.join(unknown)}")
    entries = pack.get("form", [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ValueError("a pack's forms are [[form]] tables, in two pairs of brackets")
    found: dict[str, Menu] = dict(phi.MENUS)
    names: set[str] = set()
    for number, entry in enumerate(entries, 1):
        who = f"form '{entry.get('name', f'number {number}')}'"
        _check(entry, who)
        if entry["name"] in names:
            raise ValueError(f"{who}: there are two of this name")
        names.add(entry["name"])
        menu = found[entry["menu"]]
        found[entry["menu"]] = replace(menu, forms=(*menu.forms, _form(entry, who)))
    return found


def blanks(menu: str) -> Mapping[str, Writer]:
    """The blanks that a form of this menu may have; none where the menu takes no forms of a pack."""
    kind = phi.MENUS[menu].kind if menu in phi.MENUS else ""
    if kind == "NAME":
        columns: dict[str, Writer] = {name: _column(name) for name in ("given", "family", "middle")}
        return {**columns, "initial": lambda rows: [given[:1] for given in rows["given"]]}
    if menu in _DATES:
        return {name: _date_part(name) for name in (*_YEAR, *_MONTH, *_DAY)}
    if kind in ("", "DATE", *phi.NEITHER):
        return {}
    name = _SAME_AS.get(menu, menu)
    if name == "age":
        return {name: lambda rows: [str(age) for age in rows["age"].tolist()]}
    plain = phi.MENUS[name].forms[0].write
    if name == "account":
        plain = next(form.write for form in phi.MENUS[name].forms if form.name == "account.ten_digits")
    if name in _NUMBERS:
        return {name: lambda rows: [value.translate(_SEPARATORS) for value in plain(rows)]}
    return {name: plain}


def _check(entry: Mapping[str, Any], who: str) -> None:
    for key, (types, said) in _KEYS.items():
        if key not in entry:
            if key in ("weight", "hard"):
                continue
            raise ValueError(f"{who}: '{key}' is missing")
        # Not isinstance: True is no number here.
        if type(entry[key]) not in types:
            raise ValueError(f"{who}: '{key}' must be {said}")
    if unknown := sorted(set(entry) - set(_KEYS)):
        raise ValueError(f"{who}: unknown: {', '.join(unknown)}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", entry["name"]):
        raise ValueError(f"{who}: a name has small letters, digits and _ only")
    if not (math.isfinite(entry.get("weight", 1)) and entry.get("weight", 1) > 0):
        raise ValueError(f"{who}: 'weight' must be above 0")
    known = blanks(entry["menu"])
    if not known:
        usable = ", ".join(sorted(menu for menu in phi.MENUS if blanks(menu)))
        raise ValueError(f"{who}: unknown menu '{entry['menu']}'; there are {usable}")
    text = entry["text"]
    used = [name for name, _ in _BLANK.findall(text)]
    for name in used:
        if name not in known:
            raise ValueError(f"{who}: unknown blank '{name}'; menu '{entry['menu']}' has {', '.join(known)}")
    if re.search(r"[{}\n]", _BLANK.sub("", text)):
        raise ValueError(f"{who}: 'text' has a brace that opens no blank, or a line end")
    if not set(used) - {"middle"}:
        raise ValueError(f"{who}: 'text' needs a blank of {', '.join(known)}; a middle name alone may be empty")
    if text != text.strip():
        raise ValueError(f"{who}: 'text' begins or ends with a space")
    between = _BLANK.sub("", text)
    # What stands between is part of the mention: a word of it that is left would count as the identifier left.
    if entry["menu"] in _DATES and re.search(r"[^ ,./-]", re.sub(r"\b(?:the|of)\b", "", between)):
        raise ValueError(
            f"{who}: a date has only - / . , blanks, 'the' and 'of' between its parts, as grading reads it"
        )
    if entry["menu"] not in _DATES and re.search(r"[^\W_]", between):
        raise ValueError(f"{who}: 'text' has letters or digits of its own; leave signs and blanks between the parts")
    if entry["menu"] in _DATES and not all(set(part) & set(used) for part in (_YEAR, _MONTH, _DAY)):
        raise ValueError(f"{who}: a date needs blanks for year, month and day")


def _form(entry: Mapping[str, Any], who: str) -> Form:
    used = _BLANK.findall(entry["text"])
    # A name that is also a common word makes a mention hard only where it stands whole.
    shows = [name for name in ("given", "family") if (name, "") in used]
    return Form(
        f"pack.{entry['name']}",
        _writer(entry["text"], blanks(entry["menu"]), who),
        float(entry.get("weight", 1)),
        entry.get("hard", False),
        denotes=_iso if entry["menu"] in _DATES else None,
        shows=tuple(shows),
    )


def _writer(text: str, known: Mapping[str, Writer], who: str) -> Writer:
    # Plain text, blank, part, plain text, blank, part, ...
    pieces = _BLANK.split(text)
    plain, names, parts = pieces[::3], pieces[1::3], pieces[2::3]

    def write(rows: Rows) -> list[str]:
        values = [map(_cut(part), known[name](rows)) for name, part in zip(names, parts, strict=True)]
        texts = ["".join(_woven(plain, row)) for row in zip(*values, strict=True)]
        if "middle" in names:
            # A quarter of the people have none.
            texts = [" ".join(said.split()) for said in texts]
        if not all(said and said == said.strip() for said in texts):
            raise ValueError(f"{who}: for some people the parts it takes are empty")
        return texts

    return write


def _woven(plain: Sequence[str], values: Iterable[str]) -> Iterable[str]:
    yield plain[0]
    for value, after in zip(values, plain[1:], strict=True):
        yield value
        yield after


def _cut(part: str | None) -> Callable[[str], str]:
    if part in ("upper", "lower"):
        return str.upper if part == "upper" else str.lower
    start, _, stop = (part or "-").partition("-")
    piece = slice(int(start or 0), int(stop) if stop else None)
    return lambda value: value[piece]


def _column(name: str) -> Writer:
    return lambda rows: list(rows[name])


def _iso(rows: Rows) -> Sequence[str]:
    return [str(day) for day in rows["date"].astype("datetime64[D]")]


def _date_part(name: str) -> Writer:
    part: Callable[[str], str] = {
        "yyyy": lambda day: day[:4],
        "yy": lambda day: day[2:4],
        "mm": lambda day: day[5:7],
        "m": lambda day: day[5:7].lstrip("0"),
        "month": lambda day: MONTHS[int(day[5:7]) - 1],
        "mon": lambda day: MONTHS[int(day[5:7]) - 1][:3],
        "dd": lambda day: day[8:],
        "d": lambda day: day[8:].lstrip("0"),
    }[name]
    return lambda rows: [part(day) for day in _iso(rows)]
