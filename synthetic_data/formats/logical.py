"""A hash of what tables say, not of how a file format wrote it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def logical_hash(frames: Mapping[str, pd.DataFrame]) -> str:
    """The text sha256:… of names, columns and values.

    The order of rows counts; the order of tables and columns, the index and the kind of string storage do not.
    Missing values are alike, whatever marks them. A column of whole numbers differs from one of text or decimals.
    """
    import orjson

    digest = hashlib.sha256()
    for name in sorted(frames):
        frame = frames[name]
        _add(digest, orjson.dumps([name, len(frame), sorted(frame.columns)]))
        for column in sorted(frame.columns):
            _add(digest, orjson.dumps(_plain(frame[column])))
    return f"sha256:{digest.hexdigest()}"


def _plain(column: pd.Series) -> list[object]:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) and not column.isna().any():
        # Minus nought and nought are equal numbers but differ as text.
        return [value + 0 for value in column.tolist()]
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]


def _add(digest: hashlib._Hash, part: bytes) -> None:
    # Each part's length goes in front of it, so that parts cannot run into each other.
    digest.update(len(part).to_bytes(8, "big") + part)
