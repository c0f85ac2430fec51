"""Writes a data set to a folder, block by block, so that its size is limited by the disk and not by memory."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from synthetic_data import dataset
from synthetic_data.dataset import Dataset
from synthetic_data.formats import csv, fhir
from synthetic_data.network import SITES, Site
from synthetic_data.streams import Seed

FORMATS = ("csv", "fhir")
Progress = Callable[[int], None]


def write(
    out: Path,
    seed: Seed,
    patients: int,
    formats: tuple[str, ...] = FORMATS,
    sites: tuple[Site, ...] = SITES,
    block_size: int = 1000,
    workers: int = 1,
    progress: Progress | None = None,
) -> None:
    """Writes patients 0 to `patients` - 1 to the folder `out`, which must not exist or be empty.

    csv/ has the tables and notes.jsonl, fhir/ the NDJSON files and manifest.json, attachments/ one folder per
    attachment, truth/ what only a grader may see. Everything is written beside `out`, as `out`.partial, and renamed
    at the end: a run that was stopped leaves no folder that looks complete. The bytes depend on seed, patients,
    formats and sites alone.

    progress: called with the number of patients done so far.
    Raises ValueError for an unknown format or a number below 1, FileExistsError when `out` holds something.
    """
    unknown = set(formats) - set(FORMATS)
    if unknown or not formats:
        raise ValueError(f"formats are {', '.join(FORMATS)}, not {', '.join(sorted(unknown)) or 'none'}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} is not empty; choose a folder that does not exist yet")
    partial = out.with_name(out.name + ".partial")
    if partial.exists():
        # Left by a run that was stopped.
        shutil.rmtree(partial)
    folder = _Folder(partial)
    counts: Counter[str] = Counter()
    staff: set[tuple[str, str, str]] = set()
    done = 0
    for block in dataset.blocks(seed, patients, sites, block_size, workers):
        if "csv" in formats:
            _add_csv(folder, block)
        if "fhir" in formats:
            staff |= fhir.practitioners(block)
            counts.update(_add_fhir(folder, fhir.patient_files(block, sites)))
        _add_attachments(folder, block)
        _add_truth(folder, block)
        done += len(block.patients)
        if progress:
            progress(done)
    if "fhir" in formats:
        counts.update(_add_fhir(folder, fhir.network_files(staff, sites)))
        folder.add("fhir/manifest.json", fhir.manifest(counts))
    if out.exists():
        out.rmdir()
    partial.rename(out)


class _Folder:
    """Files that grow block by block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun: set[str] = set()

    def has(self, name: str) -> bool:
        return name in self._begun

    def add(self, name: str, content: bytes) -> None:
        target = self._path / name
        if name not in self._begun:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._begun.add(name)
        with target.open("ab") as file:
            file.write(content)

    def put(self, name: str, content: bytes) -> None:
        """A file that is written once; its name is not kept, as there may be many."""
        target = self._path / name
        target.parent.mkdir(parents=True)
        target.write_bytes(content)


def _add_csv(folder: _Folder, block: Dataset) -> None:
    for name, frame in csv.frames(block).items():
        path = f"csv/{name}.csv"
        folder.add(path, csv.table(frame, header=not folder.has(path)))
    folder.add("csv/notes.jsonl", csv.lines(block.notes))


def _add_fhir(folder: _Folder, files: dict[str, bytes]) -> dict[str, int]:
    for name, content in files.items():
        folder.add(f"fhir/{name}", content)
    return {name.removesuffix(".ndjson"): content.count(b"\n") for name, content in files.items()}


def _add_attachments(folder: _Folder, block: Dataset) -> None:
    table = block.attachments
    # Two patients may have files of one name, so each is in a folder of its own.
    for key, name, content in zip(table["attachment_id"], table["file_name"], table["content"], strict=True):
        folder.put(f"attachments/{key}/{name}", content.encode())


def _add_truth(folder: _Folder, block: Dataset) -> None:
    frames = {
        "patients": block.patients[["number", "person", "patient_id", "name_group"]],
        "spans": block.spans,
        "keeps": block.keeps,
        "stray": block.stray,
    }
    for name, frame in frames.items():
        path = f"truth/{name}.csv"
        folder.add(path, csv.table(frame, header=not folder.has(path)))
