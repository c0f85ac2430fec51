"""Policies that scores are measured by: doing nothing, acting blindly on a calendar, and knowing every event."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from synthetic_data.drift_accounts import MONTHS, Accounts, accounts
from synthetic_data.drift_course import Action, Course
from synthetic_data.drift_events import Planned
from synthetic_data.drift_patients import DIAGNOSIS
from synthetic_data.drift_stream import Stream

Policy = Callable[[Course], list[Action]]


def lived(stream: Stream, card: Mapping[str, Any], policy: Policy) -> Accounts:
    """The accounts of a policy on a stream."""
    course = Course(stream, card)
    for _ in range(MONTHS):
        course.answer(policy(course))
    return accounts(stream.events, course.months, card["threshold"])


def worth(stream: Stream, card: Mapping[str, Any], policy: Policy) -> float:
    """U of a policy on a stream."""
    return lived(stream, card, policy).total


def nothing(course: Course) -> list[Action]:
    """No action, ever."""
    return []


def alert_every(months: int) -> Policy:
    """An alert every so many months."""
    return lambda course: [{"type": "alert"}] if course.month % months == months - 1 else []


def every(months: int, kind: str, train_months: int) -> Policy:
    """Trains every so many months and deploys whatever comes of it."""

    def policy(course: Course) -> list[Action]:
        actions = deploy_all(course)
        if course.month % months == months - 1:
            actions.append({"type": kind, "train_months": train_months})
        return actions

    return policy


def deploy_all(course: Course) -> list[Action]:
    """Deploys every model that a report offers."""
    return [{"type": "deploy", "report": r["id"]} for r in course.reports if not r["refused"]]


BLIND: Mapping[str, Policy] = {
    "nothing": nothing,
    "monthly_alert": alert_every(1),
    "quarterly_alert": alert_every(3),
    "monthly_retrain": every(1, "retrain", 8),
    "quarterly_retrain": every(3, "retrain", 8),
    "half_yearly_retrain": every(6, "retrain", 4),
    "yearly_retrain": every(12, "retrain", 8),
    "monthly_recalibrate": every(1, "recalibrate", 3),
    "quarterly_recalibrate": every(3, "recalibrate", 3),
    "half_yearly_recalibrate": every(6, "recalibrate", 3),
    "yearly_recalibrate": every(12, "recalibrate", 3),
}

Plan = Sequence[tuple[int, Action]]  # (month, action)


def plans(planned: Planned) -> list[Plan]:
    """Ways to answer an event for somebody who knows of it."""
    event, on = planned.event, planned.event.onset
    site = {"site": event.site[0]} if len(event.site) == 1 else {}

    def trained(kind: str, *delays: tuple[int, int]) -> Plan:
        return [(on + d, {"type": kind, "train_months": months, **site}) for d, months in delays]

    if event.kind in ("unit_change", "assay_change"):
        fix = {"type": "data_fix", "feature": event.feature[0], "method": "rescale", "factor": 1 / planned.size, **site}
        done: Plan = []
        if event.end is not None:
            done = [(event.last + 1, {"type": "data_fix", "feature": event.feature[0], "method": "clear", **site})]
        return [[(on, fix), *done]]
    if event.kind == "coding_change":
        return [[(on, {"type": "data_fix", "feature": DIAGNOSIS, "method": "remap"})]]
    if event.kind == "bad_release":
        return [[(on, {"type": "rollback"})]]
    if event.kind in ("prevalence_shift", "programme"):
        return [trained("recalibrate", (3, 1)), trained("recalibrate", (4, 2)), trained("recalibrate", (3, 1), (6, 4))]
    if event.kind == "concept_drift":
        return [
            trained("retrain", (5, 3)),
            trained("retrain", (6, 4)),
            trained("retrain", (4, 2), (8, 6)),
            trained("retrain", (5, 3), (9, 7)),
        ]
    if event.kind == "covid":
        after = event.last + 1
        back: Plan = [(after, {"type": "rollback"})]
        shifts = (((3, 1),), ((4, 2),), ((5, 3),), ((3, 1), (5, 3)))
        return [[*trained("recalibrate", *delays), *back] for delays in shifts]
    masks: list[tuple[int, Action]] = []
    for name in event.feature:
        for place in event.site or ("",):
            masks.append((on, {"type": "data_fix", "feature": name, "method": "mask", "site": place}))
            if event.end is not None:
                clear = {"type": "data_fix", "feature": name, "method": "clear", "site": place}
                masks.append((event.last + 1, clear))
    return [masks]


def knowing(stream: Stream, card: Mapping[str, Any]) -> tuple[Accounts, float]:
    """The best answers to the events, and the least that answering one of them adds to answering the others."""
    ways = [[None, *plans(planned)] for planned in stream.planned if planned.event.harmful]
    found = {
        pick: lived(stream, card, follow([way[k] or () for way, k in zip(ways, pick, strict=True)]))
        for pick in itertools.product(*(range(len(way)) for way in ways))
    }
    best = max(found.values(), key=lambda one: one.total)
    without = [max(one.total for pick, one in found.items() if pick[j] == 0) for j in range(len(ways))]
    return best, best.total - max(without)


def follow(chosen: Sequence[Plan]) -> Policy:
    """Does what the plans say, and deploys what comes of it."""

    def policy(course: Course) -> list[Action]:
        return deploy_all(course) + [action for plan in chosen for month, action in plan if month == course.month]

    return policy
