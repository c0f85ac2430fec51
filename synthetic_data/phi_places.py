"""Places, e-mail, web and file names, and what only one person can be, as notes write them."""

from __future__ import annotations

from synthetic_data.addresses import ascii_word
from synthetic_data.phi_dates import ordinal
from synthetic_data.phi_forms import Form, Menu, Rows


def _county(value: str) -> str:
    return value if value.endswith("County") else f"{value} County"


def _street_name(street: str) -> str:
    """Of "412 Alder Street, Apt 3" it is "Alder"."""
    return " ".join(street.split(",")[0].split()[1:-1]) or street


def _intersection(r: Rows) -> list[str]:
    numbers = r.owned("intersection")[:, 0] % 29 + 1
    names = map(_street_name, r["street"])
    return [f"{ordinal(n)} & {name}" for n, name in zip(numbers.tolist(), names, strict=True)]


_SHOPS = ("bakery", "laundromat", "shoe store", "diner", "flower shop")
_HOMES = ("yellow house", "blue trailer", "pink farmhouse", "log cabin", "houseboat")
_LANDMARKS = ("grain elevator", "water tower", "old sawmill", "drive-in theater", "fish hatchery", "covered bridge")


def _above_shop(r: Rows) -> list[str]:
    words = (r.owned("above_shop")[:, 0] % len(_SHOPS)).tolist()
    return [f"above the {_SHOPS[w]} on {_street_name(street)}" for w, street in zip(words, r["street"], strict=True)]


def _described_home(r: Rows) -> list[str]:
    words = r.owned("described_home").tolist()
    return [f"the {_HOMES[w[0] % len(_HOMES)]} behind the {_LANDMARKS[w[1] % len(_LANDMARKS)]}" for w in words]


def _email_words(value: str) -> str:
    return value.replace(".", " dot ").replace("@", " at ").replace("_", " underscore ")


def _login(r: Rows) -> list[str]:
    years = r.patient("birth_year").tolist()
    return [
        f"{ascii_word(g)[:1]}{ascii_word(f)[:6]}{y}" for g, f, y in zip(r["given"], r["family"], years, strict=True)
    ]


def _query(r: Rows) -> list[str]:
    from urllib.parse import quote

    names = zip(r["given"], r["family"], strict=True)
    return [f"https://portal.example.com/find?q={quote(f'{g} {f}')}&d=lab" for g, f in names]


def _photo_name(r: Rows) -> list[str]:
    parts = zip(r["family"], r["given"], r.patient("birth_year").tolist(), strict=True)
    return [f"{ascii_word(f)}_{ascii_word(g)}_{y}_face.jpg" for f, g, y in parts]


_STATIONS = (
    "the mayor of {}",
    "the former fire chief of {}",
    "the only harpist in {}",
    "the reigning chess champion of {}",
    "the longest-serving bell ringer of {}",
)


def _unique(r: Rows) -> list[str]:
    words = (r.owned("unique")[:, 0] % len(_STATIONS)).tolist()
    return [_STATIONS[w].format(city) for w, city in zip(words, r["city"], strict=True)]


def _po_box(r: Rows) -> list[str]:
    return [f"P.O. Box {w % 9000 + 100}" for w in r.owned("po_box")[:, 0].tolist()]


MENUS = {
    "street": Menu(
        "LOCATION",
        (
            Form("location.street", lambda r: list(r["street"]), 4),
            Form("location.street_caps", lambda r: [s.upper() for s in r["street"]], 1),
        ),
    ),
    "city": Menu("LOCATION", (Form("location.city", lambda r: list(r["city"])),)),
    "zip": Menu("LOCATION", (Form("location.zip", lambda r: list(r["zip"])),)),
    "county": Menu("LOCATION", (Form("location.county", lambda r: [_county(c) for c in r["county"]], hard=True),)),
    "corner": Menu("LOCATION", (Form("location.intersection", _intersection, hard=True),)),
    "po_box": Menu("LOCATION", (Form("location.po_box", _po_box, hard=True),)),
    "school": Menu("LOCATION", (Form("location.school", lambda r: [f"{c} Elementary" for c in r["city"]], hard=True),)),
    # 164.514(b)(2)(i) covers the patient's employers.
    "employer": Menu("LOCATION", (Form("location.employer", lambda r: list(r["employer"]), hard=True),)),
    # A home that is told without number, suffix or town.
    "above_shop": Menu("LOCATION", (Form("location.above_shop", _above_shop, hard=True),)),
    "described_home": Menu("LOCATION", (Form("location.described_home", _described_home, hard=True),)),
    "email": Menu(
        "EMAIL",
        (
            Form("email.plain", lambda r: list(r["email"]), 3),
            Form("email.words", lambda r: [_email_words(e) for e in r["email"]], 0.8, hard=True),
            Form("email.spaced", lambda r: [e.replace("@", " @ ") for e in r["email"]], 0.8, True, reserve=True),
            Form("email.bracket_at", lambda r: [e.replace("@", " [at] ") for e in r["email"]], 0.5, hard=True),
        ),
    ),
    "url": Menu(
        "URL",
        (
            Form("url.https", lambda r: [f"https://portal.example.com/patients/{u}" for u in _login(r)], 3),
            Form("url.no_scheme", lambda r: [f"portal.example.com/{u}" for u in _login(r)], 1.5, hard=True),
            Form("url.encoded_name", _query, 0.8, hard=True),
        ),
    ),
    "photo": Menu(
        "PHOTO",
        (
            Form("photo.mrn", lambda r: [f"IMG_{m}.jpg" for m in r["mrn"]], 2),
            Form("photo.name_year", _photo_name, 1, hard=True),
        ),
    ),
    "unique": Menu("OTHER", (Form("other.unique", _unique, hard=True),)),
    # A hospital is no element of the patient's address: marked, graded neither way.
    "facility": Menu("FACILITY", (Form("facility.name", lambda r: list(r["name"])),)),
}
