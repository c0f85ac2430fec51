"""Names of patients, relatives and clinicians, as notes write them."""

from __future__ import annotations

import functools

from synthetic_data import vocab
from synthetic_data.phi_forms import Form, Menu, Rows


def _full(r: Rows) -> list[str]:
    return [f"{g} {f}" for g, f in zip(r["given"], r["family"], strict=True)]


def _full_middle(r: Rows) -> list[str]:
    parts = zip(r["given"], r["middle"], r["family"], strict=True)
    return [f"{g} {m[0]}. {f}" if m else f"{g} {f}" for g, m, f in parts]


def _last_comma_first(r: Rows) -> list[str]:
    return [f"{f}, {g}" for g, f in zip(r["given"], r["family"], strict=True)]


def _caps(r: Rows) -> list[str]:
    return [name.upper() for name in _full(r)]


def _caps_last_first_initial(r: Rows) -> list[str]:
    parts = zip(r["given"], r["middle"], r["family"], strict=True)
    return [f"{f},{g} {m[:1]}".rstrip().upper() for g, m, f in parts]


def _lower(r: Rows) -> list[str]:
    return [name.lower() for name in _full(r)]


def _initials(r: Rows) -> list[str]:
    return [f"{g[0]}.{f[0]}." for g, f in zip(r["given"], r["family"], strict=True)]


def _initial_family(r: Rows) -> list[str]:
    return [f"{g[0]}. {f}" for g, f in zip(r["given"], r["family"], strict=True)]


def _spelled(r: Rows) -> list[str]:
    return ["-".join(c for c in given.upper() if c.isalpha()) for given in r["given"]]


def _plural(r: Rows) -> list[str]:
    return [f + ("es" if f.lower().endswith(("s", "x", "z", "ch", "sh")) else "s") for f in r["family"]]


def _nbsp(r: Rows) -> list[str]:
    return [f"{g}&nbsp;{f}" for g, f in zip(r["given"], r["family"], strict=True)]


def _caps_family_first(r: Rows) -> list[str]:
    return [f"{f.upper()} {g}" for g, f in zip(r["given"], r["family"], strict=True)]


def _family_initial(r: Rows) -> list[str]:
    return [f"{f} {g[0]}." for g, f in zip(r["given"], r["family"], strict=True)]


def _misspelt(r: Rows) -> list[str]:
    """Two neighbouring letters of the family name change places, the commonest slip of a keyboard."""
    return [f"{g} {f[:2]}{f[3]}{f[2]}{f[4:]}" if len(f) > 4 else f"{g} {f}"
            for g, f in zip(r["given"], r["family"], strict=True)]  # fmt: skip


def _nickname(r: Rows) -> list[str]:
    words = r.fresh("nickname")[:, 0] % 4
    return [f"{('Old', 'Big', 'Uncle', 'Little')[w]} {g}" for w, g in zip(words, r["given"], strict=True)]


def _household(r: Rows) -> list[str]:
    """Who lives in the patient's house and is in no table."""
    pool = _given_names()
    return [pool[w % len(pool)] for w in r.owned("household")[:, 0].tolist()]


@functools.cache
def _given_names() -> tuple[str, ...]:
    table = vocab.read("given_names")
    return tuple(sorted(set(table.loc[table["common"] == "0", "value"])))


_BOTH = ("given", "family")
_FULL = Form("name.full", _full, 4, shows=_BOTH)
_FIRST = Form("name.first", lambda r: list(r["given"]), shows=("given",))
_FAMILY = Form("name.family", lambda r: list(r["family"]), shows=("family",))

MENUS = {
    # A name after its label or in a table.
    "header": Menu(
        "NAME",
        (
            _FULL,
            Form("name.full_middle", _full_middle, 2, shows=_BOTH),
            Form("name.last_comma_first", _last_comma_first, 4, shows=("family",)),
            Form("name.caps", _caps, 1, shows=_BOTH),
            Form("name.caps_last_first_initial", _caps_last_first_initial, 1, hard=True),
            Form("name.html_nbsp", _nbsp, 0.3, hard=True),
            Form("name.caps_family_first", _caps_family_first, 1.5, reserve=True),
            Form("name.misspelt", _misspelt, 1, hard=True, reserve=True),
        ),
    ),
    # A name as subject or object of a sentence.
    "prose": Menu(
        "NAME",
        (
            _FULL,
            Form("name.caps", _caps, 0.7, shows=_BOTH),
            Form("name.initial_family", _initial_family, 0.6, hard=True),
            Form("name.lower", _lower, 0.4, hard=True),
            Form("name.initials", _initials, 0.4, hard=True),
            Form("name.first", _FIRST.write, 2, shows=("given",)),
            Form("name.family_initial", _family_initial, 0.8, hard=True, reserve=True),
            Form("name.misspelt", _misspelt, 0.8, hard=True, reserve=True),
        ),
    ),
    "full": Menu("NAME", (_FULL,)),
    "first": Menu("NAME", (_FIRST,)),
    "family": Menu("NAME", (_FAMILY,)),
    "spelled": Menu("NAME", (Form("name.spelled", _spelled, hard=True),)),
    "plural": Menu("NAME", (Form("name.plural", _plural, hard=True),)),
    "nickname": Menu("NAME", (Form("name.nickname", _nickname, hard=True),)),
    # A terse house keeps no capitals for those at home.
    "household": Menu("NAME", (Form("name.household", _household, hard=True),)),
    "household_terse": Menu(
        "NAME", (Form("name.household_lower", lambda r: [name.lower() for name in _household(r)], hard=True),)
    ),
    "kin": Menu(
        "NAME",
        (
            _FULL,
            Form("name.relative_first", _FIRST.write, 1, hard=True),
            Form("name.last_comma_first", _last_comma_first, 1, shows=("family",)),
        ),
    ),
    # Clinicians are no Safe Harbor identifiers of the patient: marked, graded neither way.
    "clinician": Menu(
        "PROVIDER",
        (
            Form("provider.full", _full, 2),
            Form("provider.family", _FAMILY.write, 2),
            Form("provider.initial_family", _initial_family, 1),
        ),
    ),
    "signature": Menu("PROVIDER", (Form("provider.full", _full), Form("provider.caps", _caps))),
    "pager": Menu(
        "PROVIDER", (Form("provider.pager", lambda r: [f"#{w % 900 + 100:04d}" for w in r.owned("pager")[:, 0]]),)
    ),
}
