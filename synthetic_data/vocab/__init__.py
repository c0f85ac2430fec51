"""Code tables and name pools. Every row of every file names its source."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@functools.cache
def read(name: str) -> pd.DataFrame:
    """The table `name`.csv as text columns, empty cells as "". Shared between callers: do not change it in place."""
    import pandas as pd

    return pd.read_csv(Path(__file__).parent / f"{name}.csv", dtype="str", keep_default_na=False)
