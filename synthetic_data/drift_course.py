"""What becomes of a stream when somebody acts on it: batches go out, actions come in, reports and notes go back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from synthetic_data import drift_models
from synthetic_data.drift_accounts import COST, MONTHS, BoolArray, Month, net_benefit
from synthetic_data.drift_events import CAUSES, NEW_SITE, SITES, Planned, month_on
from synthetic_data.drift_models import METHODS, Fix, Model
from synthetic_data.drift_patients import DIAGNOSIS, LABORATORY, NAMES
from synthetic_data.drift_stream import LABELS_AFTER, MonthData, Stream
from synthetic_data.streams import FloatArray

FALLBACKS = ("nobody", "everybody", "rule")
TOP_AGE = 90  # ages of 90 and more are one category: 45 CFR 164.514(b)(2)(i)(C)
MOST_ACTIONS = 12  # of one answer that are looked at
# Shares of notes that are right, about feeds and about patients, and months until somebody looks again: who runs a feed
# knows what was changed; on the wards people have guesses, which do not take the place of outcomes.
RIGHT_OF_FEEDS, RIGHT_OF_PATIENTS, NOTES_LAST = 0.75, 0.4, 4
VALIDATED = 3  # last months of the training window on whose held-out half a report is made

Action = Mapping[str, Any]


def understood(value: object) -> tuple[tuple[Action, ...], int]:
    """The actions of an answer with the keys that their type takes, and how many entries could not be read."""
    if not isinstance(value, list):
        return (), 1
    found = [read(entry) for entry in value[:MOST_ACTIONS]]
    good = tuple(action for action in found if action is not None)
    return good, len(value) - len(good)


def read(entry: object) -> Action | None:
    """One action with every key checked, or None."""
    kind = entry.get("type") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(kind, str) or kind not in COST:
        return None
    action: dict[str, Any] = {"type": kind}
    if entry.get("cause") in CAUSES:
        action["cause"] = entry["cause"]
    site, feature = entry.get("site"), entry.get("feature")
    if site in (*SITES, NEW_SITE):
        action["site"] = site
    elif site not in (None, ""):
        return None
    if feature in (*NAMES, DIAGNOSIS):
        action["feature"] = feature
    elif feature not in (None, ""):
        return None
    if kind == "data_fix":
        return _read_fix(entry, action)
    if kind in ("recalibrate", "retrain"):
        months = entry.get("train_months", 12)
        if type(months) is not int or not 1 <= months <= 36:
            return None
        action["train_months"] = months
    if kind == "pause":
        if entry.get("fallback") not in FALLBACKS:
            return None
        action["fallback"] = entry["fallback"]
    if kind in ("deploy", "reject"):
        # It is shown to people: nothing but what a report's id is made of.
        if not isinstance(entry.get("report"), str) or not re.fullmatch(r"[a-z0-9-]{1,40}", entry["report"]):
            return None
        action["report"] = entry["report"]
    return action


def _read_fix(entry: Mapping[str, Any], action: dict[str, Any]) -> Action | None:
    method, factor, since = entry.get("method"), entry.get("factor", 1.0), entry.get("since")
    if method not in METHODS or "feature" not in action:
        return None
    if (method == "remap") != (action["feature"] == DIAGNOSIS) and method in ("remap", "rescale"):
        return None
    if type(factor) not in (int, float) or not 1e-5 <= factor <= 1e5:
        return None
    if since is not None and (type(since) is not int or not -12 <= since < MONTHS):
        return None
    action |= {"method": method}
    if method == "rescale":
        action["factor"] = float(factor)
    if since is not None:
        action["since"] = since
    return action


class Course:
    """A stream and what was done to it so far. `batch` shows the present month, `answer` ends it."""

    def __init__(self, stream: Stream, card: Mapping[str, Any]) -> None:
        self.stream, self.card = stream, card
        self.month = 0
        self.model = stream.model
        self.earlier: list[Model] = []
        self.fixes: tuple[Fix, ...] = ()
        self.fallback = ""
        self.offered: dict[str, Model] = {}
        self.reports: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.months: list[Month] = []
        self._release()

    def _release(self) -> None:
        """The vendor's new model takes over when it comes."""
        if self.month in self.stream.releases:
            self.earlier.append(self.model)
            self.model = self.stream.releases[self.month]

    def score(self) -> FloatArray:
        """(n,) of the present month."""
        return self.model.score(self.stream.design(self.month, self.fixes), self._data.seen.site)

    @property
    def _data(self) -> MonthData:
        return self.stream.months[self.month]

    def flag(self, score: FloatArray) -> BoolArray:
        """(n,) who is acted upon."""
        if self.fallback in ("nobody", "everybody"):
            return np.full(len(score), self.fallback == "everybody")
        if self.fallback == "rule":
            admissions = self._data.seen.x[:, NAMES.index("admissions")]
            return np.asarray(np.nan_to_num(admissions) >= self.card["rule_admissions"])
        return np.asarray(score >= self.card["threshold"])

    def batch(self) -> dict[str, Any]:
        """The present month as a team sees it."""
        return {
            "month": self.month,
            "release_id": self.model.release,
            **columns(self._data, self.stream.habits),
            "score": np.round(self.score(), 4).tolist(),
            "labels": labels(self.stream, self.month),
            "answers": self.notes,
            "reports": self.reports,
        }

    def answer(self, actions: Sequence[Action], invalid: int = 0, status: str = "ok") -> None:
        """Takes note of the month and does what was asked for; the next month begins."""
        flag = self.flag(self.score())
        self.months.append(Month(flag, self._data.risk, tuple(actions), invalid, status, tuple(self.reports)))
        reports, notes, fallback = [], [], ""
        for number, action in enumerate(actions):
            kind = action["type"]
            if kind == "investigate":
                notes.append(self._note(action))
            elif kind == "data_fix":
                self._fix(action)
            elif kind in ("recalibrate", "retrain"):
                reports.append(self._trained(action, number))
            elif kind == "deploy" and action["report"] in self.offered:
                self.earlier.append(self.model)
                self.model = self.offered.pop(action["report"])
            elif kind == "reject":
                self.offered.pop(action["report"], None)
            elif kind == "rollback" and self.earlier:
                self.model = self.earlier.pop()
            elif kind == "pause":
                fallback = action["fallback"]
        self.reports, self.notes, self.fallback = reports, notes, fallback
        self.month += 1
        self._release()

    def _fix(self, action: Action) -> None:
        since = action.get("since", self.month)
        fix = Fix(action["feature"], action.get("site", ""), action["method"], action.get("factor", 1.0), since)
        self.fixes = (*self.fixes, fix)

    def _trained(self, action: Action, number: int) -> dict[str, Any]:
        """Fits what was asked for on closed months and says how it does on held-out encounters of the last ones."""
        kind, site = action["type"], action.get("site", "")
        months = self.stream.closed(self.month)[-action["train_months"] :]
        matrix = np.vstack([self.stream.design(m, self.fixes) for m in months])
        where = np.concatenate([self.stream.months[m].seen.site for m in months])
        y = np.concatenate([self.stream.months[m].y for m in months])
        last = np.concatenate([np.full(len(self.stream.months[m].y), m in months[-VALIDATED:]) for m in months])
        mine = where == site if site and kind == "recalibrate" else np.full(len(y), True)
        events = int(y[mine].sum())
        name = f"{kind}-{self.month}-{number}"
        report: dict[str, Any] = {"id": name, "kind": kind, "site": site, "months": [months[0], months[-1]]}
        report |= {"n": int(mine.sum()), "events": events, "refused": self._refused(action, events)}
        held = np.arange(len(y)) % 2 == 1
        test = held & last & mine
        report["current"] = self._measures(self.model, matrix[test], where[test], y[test])
        if report["refused"]:
            return report | {"candidate": None}
        trial = self._fit(kind, site, name, matrix, where, y, mine & ~held)
        report["candidate"] = self._measures(trial, matrix[test], where[test], y[test])
        self.offered[name] = self._fit(kind, site, name, matrix, where, y, mine)
        return report

    def _refused(self, action: Action, events: int) -> bool:
        """By the card: too few events, or data older than may be used."""
        return bool(events < self.card["min_events"] or action["train_months"] > self.card["most_train_months"])

    def _fit(
        self, kind: str, site: str, name: str, matrix: FloatArray, where: Any, y: FloatArray, rows: BoolArray
    ) -> Model:
        release = f"{self.model.release.partition('+')[0]}+{name}"
        if kind == "retrain":
            return Model(release, drift_models.fitted(matrix[rows], y[rows], self.model.weights))
        line = drift_models.corrected(self.model.logit(matrix[rows]), y[rows])
        kept = dict(self.model.correction) if site else {}
        return Model(release, self.model.weights, {**kept, site: line})

    def _measures(self, model: Model, matrix: FloatArray, site: Any, y: FloatArray) -> dict[str, float] | None:
        """AUROC, O/E and net benefit per 100 encounters."""
        if not len(y):
            return None
        score = model.score(matrix, site)
        worth = net_benefit(score >= self.card["threshold"], y, self.card["threshold"])
        return {
            "auroc": round(drift_models.auroc(score, y), 3),
            "o_e": round(float(y.sum() / score.sum()), 3),
            "net_benefit": round(100 * worth / len(y), 3),
        }

    def _note(self, action: Action) -> dict[str, Any]:
        """What the owners of a feed or ward say when asked: mostly right, and for four months the same to everybody."""
        site, feature = action.get("site", ""), action.get("feature", "")
        told = next((plan for plan in self.stream.planned if asked_about(plan, self.month, site, feature)), None)
        topic = (told.event.cause[0] if told.event.cause else told.event.kind) if told else "nothing"
        draw = self.stream.seed.stream(f"note/{topic}/{'' if told else f'{site}/{feature}'}")
        right = RIGHT_OF_PATIENTS if told and told.event.harmful and not told.event.feature else RIGHT_OF_FEEDS
        if draw.uniform(self.month // NOTES_LAST) > right:
            others = [t for t in ("nothing", *CAUSES) if t != topic]
            topic = others[int(draw.choice(len(others), self.month // NOTES_LAST, 1))]
        text = NOTES[topic].format(what=feature or "the data", where=site or "all sites")
        return {"month": self.month, "site": site, "feature": feature, "topic": topic, "text": text}


NOTES = {
    "nothing": "{where}: nobody knows of a change to {what}.",
    "unit_change": "{where}: the laboratory reports {what} in another unit since its last update.",
    "assay_change": "{where}: the laboratory uses another method for {what}; results are not interchangeable.",
    "coding_change": "{where}: {what} comes from another edition of the code system.",
    "missing_data": "{where}: the interface for {what} had failures; values may not have come through.",
    "corrupt_values": "{where}: a mapping table of the interface was edited; {what} may hold wrong values.",
    "prevalence_shift": "{where}: a programme changed what happens to patients after discharge.",
    "concept_drift": "{where}: a new treatment pathway is in use; who comes back is not who used to.",
    "temporary_shock": "{where}: wards are in an exceptional state, for some months.",
    "bad_release": "{where}: the vendor's last release had a change in how inputs are put together.",
    "new_ward": "{where}: a new ward has opened; other patients are referred than before.",
    "fewer_tests": "{where}: {what} is no longer measured in everybody.",
    "new_site": "{where}: a hospital has joined the network.",
    "release": "{where}: the vendor has tested the new release on last year's patients.",
}


def asked_about(plan: Planned, month: int, site: str, feature: str) -> bool:
    """Whether a question about site and feature ("" for any) is about this event."""
    event = plan.event
    if not month_on(event, month) or event.kind == "late_negatives" or (site and event.site and site not in event.site):
        return False
    return feature in event.feature if feature else True


def columns(data: MonthData, habits: Mapping[str, str]) -> dict[str, Any]:
    """Features, site and id of every encounter as JSON takes them, each site writing in its own way.

    habits: site -> one of HABITS.  All that is written so means what it meant: the model's software reads it.
    """
    site = data.seen.site.tolist()
    ways = [habits.get(name, "") for name in site]
    values: dict[str, list[Any]] = {}
    for j, name in enumerate(NAMES):
        values[name] = [written(name, v, way) for v, way in zip(data.seen.x[:, j].tolist(), ways, strict=True)]
    values[DIAGNOSIS] = [
        code.replace(".", "") if way == "no dots" else code
        for code, way in zip(data.seen.code.tolist(), ways, strict=True)
    ]
    return {"X": values, "site": site, "encounter": data.names}


def written(name: str, value: float, way: str) -> float | str | None:
    """One value as a site writes it."""
    if math.isnan(value):
        return "" if way == "blanks" else None
    if name == "age" and value >= TOP_AGE:
        return f"{TOP_AGE}+"
    if way == "commas" and name in LABORATORY:
        return f"{value:g}".replace(".", ",")
    return value


def labels(stream: Stream, month: int) -> dict[str, list[Any]]:
    """Outcomes that arrive in a month: early ones of two months ago, and all of the months that close now."""
    out: dict[str, list[Any]] = {"encounter": [], "y": [], "matured": []}
    early = stream.months.get(month - LABELS_AFTER)
    if early is not None and month >= LABELS_AFTER:
        add(out, early, early.first, matured=False)
    for m, data in stream.months.items():
        if m >= 0 and data.closed == month:
            add(out, data, np.full(len(data.y), True), matured=True)
    return out


def add(out: dict[str, list[Any]], data: MonthData, rows: BoolArray, *, matured: bool) -> None:
    """Some of a month's outcomes, at the end of the lists."""
    names = np.array(data.names, object)[rows]
    out["encounter"] += names.tolist()
    out["y"] += data.y[rows].astype(int).tolist()
    out["matured"] += [matured] * int(rows.sum())
