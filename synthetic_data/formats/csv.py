"""CSV and JSON lines of a data set's tables: Unix line ends, UTF-8, numbers in their shortest form."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from synthetic_data.dataset import Dataset

TABLES = ("patients", "contacts", "encounters", "conditions", "labs", "meds")


def csv(dataset: Dataset) -> dict[str, bytes]:
    """patients.csv, contacts.csv, …, attachments.csv (without their content) and notes.jsonl."""
    return {
        **{f"{name}.csv": table(frame) for name, frame in frames(dataset).items()},
        "notes.jsonl": lines(dataset.notes),
    }


def frames(dataset: Dataset) -> dict[str, pd.DataFrame]:
    """The tables as they are handed out: without what says who is who, which is ours alone."""
    tables = {name: getattr(dataset, name) for name in TABLES}
    tables["patients"] = dataset.patients.drop(columns=["number", "person", "name_group"])
    return {**tables, "attachments": dataset.attachments.drop(columns="content")}


def table(frame: pd.DataFrame, header: bool = True) -> bytes:
    """The frame as CSV; NaN and "" are both an empty cell. 130.0 is written 130, and 7.8 as 7.8, on every machine."""
    return frame.to_csv(index=False, header=header, lineterminator="\n", float_format="%.10g").encode()


def lines(frame: pd.DataFrame) -> bytes:
    """One JSON object per row."""
    import orjson

    return b"".join(orjson.dumps(row) + b"\n" for row in frame.to_dict("records"))
