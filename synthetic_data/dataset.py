"""A whole data set: every table of a number of invented patients."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from synthetic_data.network import SITES, Site
from synthetic_data.phi_pack import ALL_FORMS, Forms
from synthetic_data.streams import Seed

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Dataset:
    """Tables of the same patients, in the order of their numbers; columns as their makers' docstrings say.

    spans: identifiers in notes.  keeps: clinical words in notes that must survive.
    stray: identifiers in labs.comment and meds.sig.
    """

    patients: pd.DataFrame
    contacts: pd.DataFrame
    encounters: pd.DataFrame
    conditions: pd.DataFrame
    labs: pd.DataFrame
    meds: pd.DataFrame
    notes: pd.DataFrame
    spans: pd.DataFrame
    keeps: pd.DataFrame
    attachments: pd.DataFrame
    stray: pd.DataFrame


def make(
    seed: Seed,
    n: int,
    sites: tuple[Site, ...] = SITES,
    block_size: int = 1000,
    workers: int = 1,
    *,
    forms: Forms = ALL_FORMS,
) -> Dataset:
    """Patients 0 to n-1. The result depends on seed, n, sites and forms; the rest only changes speed and memory.

    forms: of identifiers in notes.

    Raises ValueError when n, block_size or workers is below 1, and, naming the form, for a pack that cannot be used.
    """
    import pandas as pd

    parts = list(blocks(seed, n, sites, block_size, workers, forms))
    return Dataset(
        **{
            field.name: pd.concat([getattr(part, field.name) for part in parts], ignore_index=True)
            for field in fields(Dataset)
        }
    )


def blocks(
    seed: Seed, n: int, sites: tuple[Site, ...], block_size: int, workers: int, forms: Forms = ALL_FORMS
) -> Iterator[Dataset]:
    """The data set in parts of `block_size` patients, in order."""
    for name, value in (("patients", n), ("block_size", block_size), ("workers", workers)):
        if value < 1:
            raise ValueError(f"{name} must be 1 or more, not {value}")
    spans = [(start, min(start + block_size, n)) for start in range(0, n, block_size)]
    if workers == 1:
        yield from (block(seed, start, stop, sites, forms) for start, stop in spans)
        return
    # "spawn" behaves alike everywhere and copies no threads; the workers need nothing but their arguments.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        waiting: deque[Future[Dataset]] = deque()
        for start, stop in spans:
            waiting.append(pool.submit(block, seed, start, stop, sites, forms))
            # A few blocks ahead of the reader, no more: memory does not grow with n.
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def block(seed: Seed, start: int, stop: int, sites: tuple[Site, ...] = SITES, forms: Forms = ALL_FORMS) -> Dataset:
    """Patients start to stop-1."""
    import numpy as np

    from synthetic_data import clinical, population, stray
    from synthetic_data.attachments import attachments
    from synthetic_data.notes import notes

    patients = population.population(seed, np.arange(start, stop), sites)
    contacts = population.contacts(seed, patients, sites)
    encounters = clinical.encounters(seed, patients, sites)
    conditions = clinical.conditions(seed, patients, encounters)
    labs = clinical.labs(seed, patients, encounters, conditions)
    meds = clinical.meds(seed, patients, encounters, conditions)
    written = notes(seed, patients, contacts, encounters, conditions, labs, meds, sites, forms.menus())
    return Dataset(
        patients,
        contacts,
        encounters,
        conditions,
        labs,
        meds,
        written.notes,
        written.spans,
        written.keeps,
        attachments(seed, patients, encounters, sites),
        stray.spans(seed, patients, labs, meds),
    )
