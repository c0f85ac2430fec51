"""What a monitored model is worth month by month: net benefit by true risk, less actions, false alarms and silence.

A stream's worth is U = sum over months t of benefit(t) - cost(t) - false_alarms(t) - silence(t), all in net true
positives: one is worth as much as one patient who needs help and is flagged (Vickers & Elkin 2006,
doi:10.1177/0272989X06295361).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic_data.streams import FloatArray

BoolArray = npt.NDArray[np.bool_]

MONTHS = 24
# What each action costs the team that takes it, right or wrong; what is not listed here is free.
COST = {
    "alert": 0.5,
    "investigate": 0.5,
    "data_fix": 1.0,
    "rollback": 1.0,
    "recalibrate": 2.0,
    "pause": 2.0,
    "retrain": 8.0,
    "deploy": 0.0,
    "reject": 0.0,
    "none": 0.0,
}
# Answers about a candidate model that was asked for, and silence, are never alarms.
QUIET = frozenset({"none", "deploy", "reject"})
# A false alarm costs FALSE_ALARM, and once more for each of the ALARM_MEMORY months' earlier ones up to MOST_REPEATS:
# whoever cries wolf is heard less (alarm fatigue). A fix of what is not broken counts as so many.
FALSE_ALARM, ALARM_MEMORY, MOST_REPEATS, WRONG_FIX = 1.0, 6, 4, 3
# An event may be acted on until so many months after its end; while it is on, from its FRESH-th month on only if it
# still does harm: if the month is STILL_HARM below what is best.
AFTER_END, FRESH, STILL_HARM = 4, 8, 0.12
# Months more than SILENT_HARM below the best in which nobody has pointed at the event yet count 1 + SILENCE times.
SILENCE, SILENT_HARM = 0.5, 0.15


@dataclass(frozen=True)
class Event:
    """Something that happens to a stream.

    cause: accepted causes, the proper one first; () for benign events.  onset, end: first and last month it is on;
    end None: it stays.  site, feature: what it touches; () for all.
    """

    kind: str
    cause: tuple[str, ...]
    harmful: bool
    onset: int
    end: int | None = None
    site: tuple[str, ...] = ()
    feature: tuple[str, ...] = ()

    @property
    def last(self) -> int:
        """The last month of the stream in which it is on."""
        return MONTHS - 1 if self.end is None else min(self.end, MONTHS - 1)


@dataclass(frozen=True)
class Month:
    """One month of a course.

    flag: (n,) the encounters flagged.  risk: (n,) their true risks.  actions: the answer as understood, each with a
    "type" of COST.  invalid: entries of the answer that could not be read.  status: how the call ended, "ok" or as
    Reply.status.  reports: validation reports delivered with this month's batch.
    """

    flag: BoolArray
    risk: FloatArray
    actions: tuple[Mapping[str, Any], ...] = ()
    invalid: int = 0
    status: str = "ok"
    reports: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Accounts:
    """Arrays of (24,), a value a month.

    benefit, best: net benefit as flagged, and as it would be by true risk.  cost: of the actions.  alarms: how many
    actions no event gave reason for, and false_alarms what they cost.  silence: charged for harm nobody has pointed
    at.  active: whether a harmful event could rightly be acted on.
    """

    benefit: FloatArray
    best: FloatArray
    cost: FloatArray
    false_alarms: FloatArray
    alarms: FloatArray
    silence: FloatArray
    active: BoolArray

    @property
    def total(self) -> float:
        """U of the stream."""
        return float((self.benefit - self.cost - self.false_alarms - self.silence).sum())


def is_alarm(action: Mapping[str, Any]) -> bool:
    """Whether an action says that something is wrong: not one of QUIET, nor one that takes an own fix away again."""
    return action["type"] not in QUIET and not (action["type"] == "data_fix" and action.get("method") == "clear")


def at_site(event: Event, action: Mapping[str, Any]) -> bool:
    """Whether an action is about all sites, or the event is, or both are about the same."""
    return not event.site or not action.get("site") or action["site"] in event.site


def justified(event: Event, action: Mapping[str, Any]) -> bool:
    """Whether an event gives reason for an action on a fault: no site or feature of the action speaks against it.

    An event that touches no feature is no reason to mend one.
    """
    feature = action.get("feature")
    if feature and not event.feature:
        return action["type"] != "data_fix" and action.get("cause") in event.cause
    return at_site(event, action) and (not feature or feature in event.feature)


def points_at(event: Event, action: Mapping[str, Any]) -> bool:
    """Whether an action says more than that something is wrong: it names the event's feature, its cause or its site.

    A question does not.
    """
    if not is_alarm(action) or action["type"] == "investigate" or not at_site(event, action):
        return False
    if action.get("feature") and event.feature:
        return action["feature"] in event.feature
    if action.get("cause"):
        return action["cause"] in event.cause
    return bool(action.get("site") and event.site)


def net_benefit(flag: BoolArray, risk: FloatArray, threshold: float) -> float:
    """sum_i f_i (r_i - (1 - r_i) t / (1 - t)): expected net true positives (Vickers & Elkin 2006, eq. 1, times n).

    flag: (n,) who is flagged.  risk: (n,) true risks in [0, 1].  threshold: t in (0, 1).  0 when n is 0.
    Raises ValueError for another threshold.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"the threshold must lie between 0 and 1, not {threshold}")
    worth = risk - (1 - risk) * (threshold / (1 - threshold))
    return float(worth[np.asarray(flag, bool)].sum())


def best(risk: FloatArray, threshold: float) -> float:
    """The largest net benefit that any flags can have: that of flagging r_i >= t, as worth is >= 0 just there."""
    return net_benefit(risk >= threshold, risk, threshold)


def accounts(events: Sequence[Event], months: Sequence[Month], threshold: float) -> Accounts:
    """The accounts of one stream. Raises ValueError unless there are 24 months.

    shortfall(t)    = 1 - benefit(t) / best(t)
    near(t)         = harmful events with onset <= t <= end + 4
    active(t)       = some of near(t) is in its first eight months or has ended, or shortfall(t) >= .12
    cost(t)         = sum of COST over the month's actions
    alarms(t)       = number of actions that are an alarm (`is_alarm`) and no data_fix, if not active(t); and 3 for each
                      data_fix that none of near(t) gives reason for (`justified`), or any if not active(t)
    false_alarms(t) = sum over these of 1 + min(k, 4), k the alarms of months t-6..t-1 and earlier ones of this month
    silence(t)      = .5 (best(t) - benefit(t)) where shortfall(t) > .15 and some harmful event has onset <= t <= end
                      and no action of months onset..t points at it (`points_at`)
    """
    if len(months) != MONTHS:
        raise ValueError(f"a course has {MONTHS} months, not {len(months)}")
    benefit = np.array([net_benefit(month.flag, month.risk, threshold) for month in months])
    ideal = np.array([best(month.risk, threshold) for month in months])
    short = shortfall(benefit, ideal)
    active = is_active(events, short)
    alarms = np.array([count_false(events, t, month, bool(active[t])) for t, month in enumerate(months)], float)
    return Accounts(
        benefit,
        ideal,
        np.array([sum(COST[action["type"]] for action in month.actions) for month in months], float),
        fatigue(alarms),
        alarms,
        np.where(unattended(events, months) & (short > SILENT_HARM), SILENCE * (ideal - benefit), 0.0),
        active,
    )


def near(event: Event, month: int) -> bool:
    """Whether an event is on that does harm, or has been until lately."""
    return event.harmful and event.onset <= month <= event.last + AFTER_END


def count_false(events: Sequence[Event], t: int, month: Month, active: bool) -> int:
    """How many false alarms the actions of month t count as. active: of this month."""
    alarms = [action for action in month.actions if is_alarm(action)]
    there = [event for event in events if active and near(event, t)]
    fixes = [action for action in alarms if action["type"] == "data_fix"]
    wrong = sum(not any(justified(event, fix) for event in there) for fix in fixes)
    return WRONG_FIX * wrong + (0 if active else len(alarms) - len(fixes))


def shortfall(benefit: FloatArray, ideal: FloatArray) -> FloatArray:
    """(24,) 1 - benefit / best; where nobody is worth flagging, 1 when somebody was flagged in vain and else 0."""
    lost = ideal - benefit
    return np.where(ideal > 0, lost / np.where(ideal > 0, ideal, 1.0), (lost > 0).astype(float))


def is_active(events: Sequence[Event], short: FloatArray) -> BoolArray:
    """(24,) whether a harmful event is there to be acted on. short: (24,) shortfalls."""
    month = np.arange(MONTHS)
    active = np.zeros(MONTHS, bool)
    for event in events:
        there = np.array([near(event, t) for t in range(MONTHS)])
        active |= there & ((month < event.onset + FRESH) | (month > event.last) | (short >= STILL_HARM))
    return active


def unattended(events: Sequence[Event], months: Sequence[Month]) -> BoolArray:
    """(24,) whether a harmful event is on that nobody has pointed at since its onset."""
    month = np.arange(MONTHS)
    alone = np.zeros(MONTHS, bool)
    for event in events:
        if event.harmful:
            seen = (t for t in range(event.onset, MONTHS) if any(points_at(event, a) for a in months[t].actions))
            alone |= (month >= event.onset) & (month <= event.last) & (month < next(seen, MONTHS))
    return alone


def fatigue(alarms: FloatArray) -> FloatArray:
    """(24,) what false alarms cost. alarms: (24,) their counts."""
    counts = alarms.astype(int)
    cost = np.zeros(MONTHS)
    for month, count in enumerate(counts):
        before = counts[max(month - ALARM_MEMORY, 0) : month].sum()
        cost[month] = FALSE_ALARM * (1 + np.minimum(before + np.arange(count), MOST_REPEATS)).sum()
    return cost
