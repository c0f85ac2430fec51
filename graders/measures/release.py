"""One play's output, read once: tables, resources, notes and attachments beside what was given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from graders.harness.reading import Unreadable, each_object, read_ndjson, read_table, uncollected
from synthetic_data.recipes.deidentification import GIVEN, RELEASED
from synthetic_data.scene import Files

if TYPE_CHECKING:
    import pandas as pd

    from synthetic_data.recipes.deidentification import Truth

Resource = dict[str, Any]
# Ten times the longest of the given lines: a longer one is no resource or note, and costs memory.
LONGEST_LINE = 40_000
# Bytes, and cells or JSON values, that a row, a note and a patient have on average at most: four times what those of
# honest releases have, or more.
ROW, NOTE, PATIENT = (1000, 100), (5000, 150), (10_000, 600)
# Of all resources together, whatever their type. There is no limit of bytes but the manifest's.
RESOURCE_VALUES = 120
SPARE = 100_000  # for releases of a few patients
# Letters have a few hundred bytes. In a longer file, which is no letter, one rare character makes all take four bytes.
LONGEST_LETTER = 10_000


@dataclass(frozen=True)
class Release:
    """What a submission wrote, in the shape of what it was given.

    tables: rows as given, the given columns; "" where a column, or the whole table, is missing.
    extra: table -> the columns of it that nobody asked for.
    fhir: type -> as many resources as given; {} where the file cannot be used.
    notes: one dict per note, or None where notes.jsonl cannot be used.
    attachments: file name -> content, undecodable bytes replaced.
    others: names of files that are not asked for.  faults: one line for each file that cannot be used.
    """

    tables: Mapping[str, pd.DataFrame]
    extra: Mapping[str, pd.DataFrame]
    fhir: Mapping[str, Sequence[Resource]]
    notes: Sequence[Resource] | None
    attachments: Mapping[str, str]
    others: Sequence[str]
    faults: Sequence[str]

    @classmethod
    def read(cls, files: Files, truth: Truth) -> Release:
        """The output of the play whose truth this is."""
        faults: list[str] = []
        tables, extra = {}, {}
        for name, columns in GIVEN.items():
            table = _table(files, name, truth.tables[name], faults)
            extra[name] = table[[c for c in table.columns if c not in columns]]
            tables[name] = table.reindex(columns=list(columns), fill_value="")
        # Some types are larger than others; together they are as many for everybody.
        most = RESOURCE_VALUES * sum(map(len, truth.fhir.values())) + SPARE
        fhir = {kind: _resources(files, kind, len(keys), most, faults) for kind, keys in truth.fhir.items()}
        letters = {n: d for n, d in files.items() if n.startswith("attachments/") and len(d) <= LONGEST_LETTER}
        known = {f"{name}.csv" for name in GIVEN} | {"notes.jsonl"} | letters.keys()
        known |= {f"fhir/{kind}.ndjson" for kind in (*RELEASED, "Organization", "Practitioner")}
        return cls(
            tables,
            extra,
            fhir,
            _notes(files, len(truth.notes), faults),
            {name.removeprefix("attachments/"): data.decode("utf-8", "replace") for name, data in letters.items()},
            sorted(name for name in files if name not in known),
            faults,
        )

    @cached_property
    def lines(self) -> dict[str, list[bytes]]:
        """Type -> each resource as a line of JSON, in which texts are looked for."""
        return {
            kind: resources.lines if isinstance(resources, Resources) else [as_line(resource) for resource in resources]
            for kind, resources in self.fhir.items()
        }

    def told(self, kind: str, path: str) -> pd.Series:
        """The value at a dotted path of every resource of a type as text, "" where there is none."""
        if (kind, path) not in self._told:
            import pandas as pd

            steps = [int(s) if s.isdigit() else s for s in path.split(".")]
            found = [as_text(at(resource, steps)) for resource in self.fhir[kind]]
            self._told[kind, path] = pd.Series(found, dtype="str")
        return self._told[kind, path]

    @cached_property
    def _told(self) -> dict[tuple[str, str], pd.Series]:
        # Several measures ask for the same dates and codes.
        return {}

    @property
    def texts(self) -> list[str | None]:
        """The notes' texts in order, None where there is none; empty when there are no notes at all."""
        rows = [row.get("text") for row in self.notes or ()]
        return [text if isinstance(text, str) else None for text in rows]


class Resources(Sequence[Resource]):
    """Resources as lines of JSON, parsed whenever they are asked for: parsed, they may take thirty times the memory."""

    def __init__(self, resources: Iterable[tuple[Resource, bytes]]) -> None:
        self.lines: list[bytes] = []
        self._long: set[int] = set()
        for resource, line in resources:
            if not line and not (line := _dumped(resource)):
                self._long.add(len(self.lines))
            # A copy: orjson makes texts in much larger pieces of memory, which would be left with holes.
            self.lines.append(bytes(memoryview(line)) or _long_form(resource))

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, which: int) -> Resource: ...
    @overload
    def __getitem__(self, which: slice) -> list[Resource]: ...
    def __getitem__(self, which: int | slice) -> Resource | list[Resource]:
        """One resource, or a list of some."""
        numbers = range(len(self.lines))[which]
        return self._parsed(numbers) if isinstance(numbers, int) else [self._parsed(n) for n in numbers]

    def __iter__(self) -> Iterator[Resource]:
        """All in turn."""
        return map(self._parsed, range(len(self.lines)))

    def _parsed(self, number: int) -> Resource:
        import orjson

        found: Resource = (json if number in self._long else orjson).loads(self.lines[number])
        return found


def table_limits(rows: int) -> tuple[int, int, int]:
    """max_rows, max_cells, max_bytes of read_table for a table of so many rows."""
    return 2 * rows, ROW[1] * rows + SPARE, ROW[0] * rows + SPARE


def line_limits(count: int, note: bool) -> tuple[int, int, int, int]:
    """max_rows, max_line, max_values, max_bytes of read_ndjson for so many notes, or patients."""
    size, values = NOTE if note else PATIENT
    return 2 * count, LONGEST_LINE, values * count + SPARE, size * count + SPARE


def _table(files: Files, name: str, original: pd.DataFrame, faults: list[str]) -> pd.DataFrame:
    import pandas as pd

    try:
        table = read_table(files, f"{name}.csv", (), *table_limits(len(original)))
        if len(table) != len(original):
            raise Unreadable(f"{name}.csv has {len(table)} rows for {len(original)}")
    except Unreadable as error:
        faults.append(str(error))
        return pd.DataFrame(index=original.index)
    return table


def _resources(files: Files, kind: str, count: int, most: int, faults: list[str]) -> Sequence[Resource]:
    name = f"fhir/{kind}.ndjson"
    strange = False

    def checked() -> Iterator[tuple[Resource, bytes]]:
        nonlocal strange
        for resource, line in each_object(files, name, 2 * count, LONGEST_LINE, most):
            strange = strange or resource.get("resourceType") != kind
            yield resource, line

    try:
        with uncollected():
            resources = Resources(checked())
        if len(resources) != count:
            raise Unreadable(f"{name} has {len(resources)} resources for {count}")
        if strange:
            raise Unreadable(f"{name} holds resources that are no {kind}")
    except Unreadable as error:
        faults.append(str(error))
        return [{} for _ in range(count)]
    return resources


def _notes(files: Files, count: int, faults: list[str]) -> list[Resource] | None:
    try:
        rows = read_ndjson(files, "notes.jsonl", *line_limits(count, note=True))
        if len(rows) != count:
            raise Unreadable(f"notes.jsonl has {len(rows)} notes for {count}")
    except Unreadable as error:
        faults.append(str(error))
        return None
    return rows


def as_line(value: Any) -> bytes:
    """JSON as JSON: its texts can be had from there in a tenth of the time that walking through it takes."""
    return _dumped(value) or _long_form(value)


def _long_form(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _dumped(value: Any) -> bytes:
    """The same in one way only: b"" where there are numbers beyond 64 bits."""
    import orjson

    try:
        return orjson.dumps(value)
    except TypeError:
        return b""


def at(value: Any, steps: list[Any]) -> Any:
    """Follow a path; None where it ends early."""
    for step in steps:
        # A submission's text has places as well, but nothing in them.
        if not isinstance(value, list if isinstance(step, int) else dict):
            return None
        try:
            value = value[step]
        except LookupError:
            return None
    return value


def as_text(value: Any) -> str:
    """A leaf as text; anything else is no leaf."""
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
