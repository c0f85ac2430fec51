"""The catalogue of surface forms of identifiers: which there are, of what kind, and which are hard."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from synthetic_data import phi_dates, phi_names, phi_numbers, phi_places
from synthetic_data.phi_forms import Menu

if TYPE_CHECKING:
    import pandas as pd

KINDS = (
    "NAME", "LOCATION", "DATE", "AGE", "PHONE", "EMAIL", "SSN", "MRN", "HEALTH_PLAN", "ACCOUNT", "VEHICLE", "DEVICE",
    "URL", "IP", "PHOTO", "OTHER",
)  # fmt: skip
"""Identifiers of Safe Harbor, 45 CFR 164.514(b)(2)(i)."""

NEITHER = ("PROVIDER", "FACILITY", "YEAR")
"""Marked in the text but graded neither way."""

MENUS: dict[str, Menu] = phi_names.MENUS | phi_dates.MENUS | phi_numbers.MENUS | phi_places.MENUS


def practice() -> dict[str, Menu]:
    """The menus without the reserve, which practice data does not show."""
    return {
        name: replace(menu, forms=tuple(form for form in menu.forms if not form.reserve))
        for name, menu in MENUS.items()
    }


def catalogue() -> pd.DataFrame:
    """Every form once: form, kind, hard."""
    import pandas as pd

    rows = {(f.name, menu.kind, f.hard) for menu in MENUS.values() for f in menu.forms}
    return pd.DataFrame(sorted(rows), columns=["form", "kind", "hard"])
