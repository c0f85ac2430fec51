"""Telephone, record, plan, account, vehicle and device numbers, as notes write them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from synthetic_data.addresses import ascii_word
from synthetic_data.phi_forms import Form, Menu, Rows

# No I, O or Q, as in vehicle and device numbers.
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_SEPARATORS = str.maketrans("", "", "-.() +/")


def letters(word: int, count: int) -> str:
    """`count` letters from one 32-bit word."""
    return "".join(_LETTERS[word // 23**k % 23] for k in range(count))


def _bare(value: str) -> str:
    return value.translate(_SEPARATORS)


def _of(column: str, line: Callable[[str], str]) -> Callable[[Rows], Sequence[str]]:
    return lambda r: [line(value) for value in r[column]]


def _drawn(what: str, line: Callable[[list[int]], str]) -> Callable[[Rows], Sequence[str]]:
    """A number that is not in the chart and stays the same for a patient."""
    return lambda r: [line(words) for words in r.owned(what).tolist()]


def _phone(line: Callable[[str], str]) -> Callable[[Rows], Sequence[str]]:
    return _of("phone", lambda value: line(_bare(value)[-10:]))


def _phone_extension(r: Rows) -> list[str]:
    extensions = r.fresh("extension")[:, 0] % 90 + 10
    digits = (_bare(value)[-10:] for value in r["phone"])
    return [f"{d[:3]}.{d[3:6]}.{d[6:]} x{e}" for d, e in zip(digits, extensions, strict=True)]


def _ssn(line: Callable[[str], str]) -> Callable[[Rows], Sequence[str]]:
    return _of("ssn", lambda value: line(_bare(value)))


def _halves(value: str) -> str:
    middle = len(value) // 2
    return f"{value[:middle]} {value[middle:]}"


def _phone_pair(r: Rows) -> list[str]:
    """Two lines of one household: the second is told by its last four digits."""
    digits = [_bare(value)[-10:] for value in r["phone"]]
    steps = (r.owned("second_line")[:, 0] % 99 + 1).tolist()
    return [
        f"{d[:3]}-{d[3:6]}-{d[6:]}/{d[6:8]}{(int(d[8:]) + k) % 100:02d}" for d, k in zip(digits, steps, strict=True)
    ]


def _mrn_lettered(r: Rows) -> list[str]:
    """The site's letter before the number, or behind it; its leading zeros are left out."""
    behind = (r.fresh("mrn_letter")[:, 0] % 2).tolist()
    sites = r.chart["site"][r.index]
    numbers = (_bare(value).lstrip("0") for value in r["mrn"])
    return [f"{n}/{s}" if b else f"{s}/{n}" for n, s, b in zip(numbers, sites, behind, strict=True)]


def _pairs_from_the_end(value: str) -> str:
    """Terminal-digit filing: folders stand by the last two characters, then the two before."""
    bare = _bare(value)
    return "-".join(bare[max(0, k - 2) : k] for k in range(len(bare), 0, -2))


def _alias(r: Rows) -> list[str]:
    """Three letters of the family name, one of the given name, two digits of the birth year."""
    parts = zip(r["family"], r["given"], r.patient("birth_year").tolist(), strict=True)
    return [f"{ascii_word(f)[:3]}{ascii_word(g)[:1]}{y % 100:02d}".upper() for f, g, y in parts]


def _initials_birthday(r: Rows) -> list[str]:
    days = r.chart["dob_date"].astype("datetime64[D]").astype(str)[r.index].tolist()
    names = zip(r["given"], r["family"], days, strict=True)
    return [f"{ascii_word(g)[:1]}{ascii_word(f)[:1]}".upper() + f" {int(d[8:])}/{int(d[5:7])}" for g, f, d in names]


def _login(r: Rows) -> list[str]:
    parts = zip(r["given"], r["family"], r.patient("birth_year").tolist(), strict=True)
    return [f"{ascii_word(g)[:2]}{ascii_word(f)[:4]}{y % 100:02d}" for g, f, y in parts]


def _vin(words: list[int]) -> str:
    # Position 9 of a real number is a digit or X; a Z there belongs to no vehicle.
    return f"1M8{letters(words[0], 5)}ZK{letters(words[1], 1)}{words[2] % 10**6:06d}"


MENUS = {
    "phone": Menu(
        "PHONE",
        (
            Form("phone.dashes", _phone(lambda d: f"{d[:3]}-{d[3:6]}-{d[6:]}"), 5),
            Form("phone.parentheses", _phone(lambda d: f"({d[:3]}) {d[3:6]}-{d[6:]}"), 4),
            Form("phone.dots", _phone(lambda d: f"{d[:3]}.{d[3:6]}.{d[6:]}"), 1.5),
            Form("phone.dots_ext", _phone_extension, 0.8, hard=True),
            Form("phone.bare", _phone(lambda d: d), 0.8, hard=True),
            Form("phone.plus_pairs", _phone(lambda d: f"+1 {d[:3]} {d[3:6]} {d[6:8]} {d[8:]}"), 0.8, hard=True),
            Form("phone.local", _phone(lambda d: f"{d[3:6]}-{d[6:]}"), 0.6, hard=True),
            Form("phone.slash", _phone(lambda d: f"{d[:3]}/{d[3:6]}-{d[6:]}"), 1, reserve=True),
            Form("phone.spaces", _phone(lambda d: f"{d[:3]} {d[3:6]} {d[6:]}"), 1, reserve=True),
            Form("phone.trunk", _phone(lambda d: f"1-{d[:3]}-{d[3:6]}-{d[6:]}"), 0.8, reserve=True),
        ),
    ),
    "phone_ends": Menu("PHONE", (Form("phone.last_four", _phone(lambda d: d[6:]), hard=True),)),
    "phone_pair": Menu("PHONE", (Form("phone.pair", _phone_pair, hard=True),)),
    "ssn": Menu(
        "SSN",
        (
            Form("ssn.dashes", _ssn(lambda d: f"{d[:3]}-{d[3:5]}-{d[5:]}"), 5),
            Form("ssn.blanks", _ssn(lambda d: f"{d[:3]} {d[3:5]} {d[5:]}"), 1, hard=True),
            Form("ssn.bare", _ssn(lambda d: d), 0.7, hard=True),
            Form("ssn.dots", _ssn(lambda d: f"{d[:3]}.{d[3:5]}.{d[5:]}"), 1, reserve=True),
        ),
    ),
    "ssn_last": Menu("SSN", (Form("ssn.last_four", _ssn(lambda d: d[5:]), hard=True),)),
    # A code derived from an identifier is itself one (45 CFR 164.514(c)).
    "ssn_hash": Menu(
        "SSN",
        (
            Form(
                "ssn.sha1",
                _ssn(lambda d: "sha1=" + hashlib.sha1(d.encode(), usedforsecurity=False).hexdigest()),
                hard=True,
            ),
        ),
    ),
    "mrn": Menu(
        "MRN",
        (
            Form("mrn.as_charted", _of("mrn", str), 7),
            Form("mrn.number_sign", _of("mrn", lambda v: f"#{v}"), 1),
            Form("mrn.split", _of("mrn", lambda v: _halves(_bare(v))), 1, hard=True),
            Form("mrn.slashed", _of("mrn", lambda v: _halves(_bare(v)).replace(" ", "/")), 1, True, reserve=True),
            Form("mrn.bare_lower", _of("mrn", lambda v: _bare(v).lower().lstrip("0") or v), 1, hard=True),
        ),
    ),
    # Each hospital's own ways with the number, on labels and folders.
    "mrn_lettered": Menu("MRN", (Form("mrn.site_letter", _mrn_lettered, hard=True),)),
    "mrn_filed": Menu("MRN", (Form("mrn.pairs_from_the_end", _of("mrn", _pairs_from_the_end), hard=True),)),
    "mrn_halves": Menu(
        "MRN", (Form("mrn.dashed_halves", _of("mrn", lambda v: _halves(_bare(v)).replace(" ", "-")), hard=True),)
    ),
    "plan": Menu(
        "HEALTH_PLAN",
        (
            Form("plan.as_charted", _of("plan", str), 3),
            Form("plan.bare", _of("plan", _bare), 1, hard=True),
            Form("plan.split", _of("plan", lambda v: _halves(_bare(v))), 1, hard=True),
            Form("plan.dotted", _of("plan", lambda v: _halves(_bare(v)).replace(" ", ".")), 1, True, reserve=True),
        ),
    ),
    "account": Menu(
        "ACCOUNT",
        (
            Form("account.dashed", _drawn("account", lambda w: f"ACC-{w[0] % 10**4:04d}-{w[1] % 10**6:06d}"), 3),
            Form("account.ten_digits", _drawn("account", lambda w: f"{w[0] % 10**4:04d}{w[1] % 10**6:06d}"), 1, True),
            Form(
                "account.grouped",
                _drawn("account", lambda w: f"{w[0] % 10**4:04d} {w[1] % 10**3:03d} {w[2] % 10**3:03d}"),
                1,
                True,
                reserve=True,
            ),
        ),
    ),
    "plate": Menu(
        "VEHICLE",
        (
            Form("vehicle.plate", _drawn("plate", lambda w: f"{w[0] % 9 + 1}{letters(w[1], 3)}{w[2] % 1000:03d}"), 2),
            Form(
                "vehicle.plate_spaced",
                _drawn("plate", lambda w: f"{w[0] % 9 + 1} {letters(w[1], 3)} {w[2] % 1000:03d}".lower()),
                1,
                True,
            ),
        ),
    ),
    "vin": Menu("VEHICLE", (Form("vehicle.vin", _drawn("vin", _vin), hard=True),)),
    "serial": Menu(
        "DEVICE",
        (Form("device.serial", _drawn("device", lambda w: f"{letters(w[0], 3)}{w[1] % 10**6:06d}{letters(w[2], 1)}")),),
    ),
    # GS1 unique device identifier: (01) names the product, (21) the single device.
    "udi": Menu(
        "DEVICE",
        (
            Form(
                "device.udi",
                _drawn("device", lambda w: f"(01)00844588003288(21){letters(w[0], 1)}{w[1] % 10**4:04d}"),
                hard=True,
            ),
        ),
    ),
    "licence": Menu(
        "OTHER", (Form("other.licence", _drawn("licence", lambda w: f"{letters(w[0], 1)}{w[1] % 10**7:07d}")),)
    ),
    "badge": Menu("OTHER", (Form("other.badge", _drawn("badge", lambda w: f"{w[0] % 9000 + 1000}")),)),
    # Written on boards, bags and doors instead of the name; made of it, so it is no code (45 CFR 164.514(c)).
    "alias": Menu("OTHER", (Form("other.alias", _alias, hard=True),)),
    "initials_birthday": Menu("OTHER", (Form("other.initials_birthday", _initials_birthday, hard=True),)),
    "login": Menu("OTHER", (Form("other.login", _login, hard=True),)),
    "biometric": Menu(
        "OTHER",
        (Form("other.biometric", _drawn("biometric", lambda w: f"FP-{w[0]:08x}-{w[1] % 65536:04x}"), hard=True),),
    ),
    # Documentation ranges: RFC 5737 and RFC 3849.
    "ip": Menu(
        "IP",
        (
            Form(
                "ip.v4",
                _drawn("ip", lambda w: f"{('192.0.2', '198.51.100', '203.0.113')[w[0] % 3]}.{w[1] % 254 + 1}"),
                2,
            ),
            Form("ip.v6", _drawn("ip", lambda w: f"2001:db8::{w[0] % 65535 + 1:x}:{w[1] % 65535 + 1:x}"), 1, True),
        ),
    ),
}
