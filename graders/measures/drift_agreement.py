"""Whether what was changed is what the change-control record said would be, and whether it said so of every change."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.harness.reading import Unreadable
from graders.measures.drift_causes import places
from graders.measures.drift_plan import CHANGES, Plan
from graders.measures.evidence import by_stream
from synthetic_data.drift_accounts import MONTHS

if TYPE_CHECKING:
    from graders.measures.drift_plan import Rule
    from synthetic_data.recipes.drift_response import StreamTruth, Truth

YEAR = 12
# A record that allows more than LOOSE times what the busiest year needed, and more than FEW, sets no limit. Rules that
# none of FEW candidates or more has met decide nothing.
LOOSE, FEW = 3, 4
SOON = 3  # months within which a newer candidate takes the place of one that met the rules
FORM = 'it must be {"modifications": [...], "protocol": {...}, "impact": [...]} as the brief shows'


@dataclass(frozen=True)
class Checked:
    """One promise of the record held against what was done: how often it mattered, and where it was not kept.

    field: of plan.json.
    """

    field: str
    what: str
    total: int
    broken: list[tuple[int, int]]

    @property
    def share(self) -> float:
        """Share of times it was kept; 1 where it never mattered."""
        return 1 - len(self.broken) / self.total if self.total else 1.0


def judge(submitted: bytes | None, truth: Truth) -> tuple[float, str, tuple[str, ...]]:
    """Fraction in [0, 1], message and evidence: the product of the shares kept. submitted: the bytes of plan.json."""
    if submitted is None:
        return 0.0, f"plan.json is missing; {FORM}", ()
    try:
        plan = Plan.read(submitted)
    except Unreadable as error:
        return 0.0, f"plan.json {error}; {FORM}", ()
    busiest = {kind: max((most_in_a_year(s, kind) for s in truth.streams), default=0) for kind in CHANGES}
    done = [kind for kind in CHANGES if busiest[kind]]
    if not done:
        return 0.0, "nothing was changed, so there is nothing the record could agree with", ()
    loose = [k for k in done if plan.most_per_year.get(k, 0) > max(FEW, LOOSE * busiest[k])]
    stated = [k for k in done if k in plan.most_per_year and k in plan.assessed and k not in loose]
    checks = [often(plan, truth), trained(plan, truth), deployed(plan, truth), passed_over(plan, truth)]
    offered, met = candidates(plan, truth)
    idle = offered >= FEW and not met
    fraction = len(stated) / len(done) * math.prod(check.share for check in checks) * (0.5 if idle else 1)
    parts = [f"{len(stated)} of the {len(done)} types of change made are described and their impact assessed"]
    missing = [k for k in done if k not in stated and k not in loose]
    if missing:
        parts.append("describe and assess (each in words of its own) " + ", ".join(missing))
    if loose:
        parts.append(f"most_per_year is far above what was needed for {', '.join(loose)}, so it limits nothing")
    if idle:
        parts.append(f"none of the {offered} candidates asked for met the rules of acceptance, so they decide nothing")
    parts += [f"{len(c.broken)} of {c.total} {c.what} ({places(c.broken)})" for c in checks if c.broken]
    evidence = [f"plan.json, modifications and impact: {kind} is not described and assessed" for kind in missing]
    evidence += [f"plan.json, modifications, most_per_year of {kind}: limits nothing" for kind in loose]
    evidence += ["plan.json, protocol.accept: decided nothing"] * idle
    for check in sorted((c for c in checks if c.broken), key=lambda c: c.share):
        evidence += by_stream(check.broken, f"plan.json, {check.field} was not kept")[:2]
    return fraction, "; ".join(parts), tuple(evidence)


def most_in_a_year(stream: StreamTruth, kind: str) -> int:
    """The largest number of changes of one type in any twelve months on end."""
    counts = [sum(action["type"] == kind for action in month.actions) for month in stream.course]
    return max((sum(counts[t : t + YEAR]) for t in range(len(counts))), default=0)


def often(plan: Plan, truth: Truth) -> Checked:
    """Streams and types of change against most_per_year. Types that the record does not have are judged elsewhere."""
    total, broken = 0, []
    for number, stream in enumerate(truth.streams, 1):
        for kind, most in plan.most_per_year.items():
            if made := most_in_a_year(stream, kind):
                total += 1
                if made > most:
                    broken.append((number, max(t for t, m in enumerate(stream.course) if has(m.actions, kind))))
    return Checked("most_per_year", "limits a year were passed", total, broken)


def has(actions: tuple[Mapping[str, Any], ...], kind: str) -> bool:
    """Whether one of the actions is of a type."""
    return any(action["type"] == kind for action in actions)


def trained(plan: Plan, truth: Truth) -> Checked:
    """Retrainings against train_months, where they say how many."""
    low, high = plan.train_months
    total, broken = 0, []
    for number, stream in enumerate(truth.streams, 1):
        for month, done in enumerate(stream.course):
            for action in done.actions:
                months = action.get("train_months")
                if action["type"] == "retrain" and months is not None:
                    total += 1
                    if not low <= months <= high:
                        broken.append((number, month))
    return Checked(
        "protocol.data.train_months", "retrainings used more or fewer months than the record allows", total, broken
    )


def deployed(plan: Plan, truth: Truth) -> Checked:
    """Deployments against the rules of acceptance."""
    total, broken = 0, []
    for number, stream in enumerate(truth.streams, 1):
        delivered: dict[Any, Mapping[str, Any]] = {}
        for month, done in enumerate(stream.course):
            delivered |= {report["id"]: report for report in done.reports}
            for action in done.actions:
                if action["type"] == "deploy":
                    total += 1
                    report = delivered.get(action["report"])
                    if report is None or not meets(plan, report):
                        broken.append((number, month))
    return Checked("protocol.accept", "deployments did not meet the rules of acceptance", total, broken)


def passed_over(plan: Plan, truth: Truth) -> Checked:
    """Candidates that met the rules, and were rejected, or left lying with no other one soon put in their place."""
    total, broken = 0, []
    for number, stream in enumerate(truth.streams, 1):
        answers = [action for done in stream.course for action in done.actions]
        chosen, refused = ({a["report"] for a in answers if a["type"] == kind} for kind in ("deploy", "reject"))
        met = [(t, r["id"]) for t, done in enumerate(stream.course) for r in done.reports if meets(plan, r)]
        for month, report in met:
            # Answers to the last month take effect in one that nobody plays.
            if month == MONTHS - 1 and report not in refused:
                continue
            total += 1
            superseded = any(month <= later <= month + SOON and other in chosen for later, other in met)
            if report in refused or not superseded:
                broken.append((number, month))
    return Checked("protocol.accept", "candidates that met the rules were not deployed", total, broken)


def candidates(plan: Plan, truth: Truth) -> tuple[int, int]:
    """How many candidates were offered, and how many of them met the rules."""
    reports = [r for s in truth.streams for done in s.course for r in done.reports if not r.get("refused")]
    return len(reports), sum(meets(plan, report) for report in reports)


def meets(plan: Plan, report: Mapping[str, Any]) -> bool:
    """Whether a validation report satisfies the record: enough events, and every rule."""
    current, candidate, events = report.get("current"), report.get("candidate"), report.get("events")
    if report.get("refused") or not isinstance(current, Mapping) or not isinstance(candidate, Mapping):
        return False
    if events is None or events < plan.min_events:
        return False
    return all(GAIN[rule.field](rule, current, candidate) >= rule.at_least - 1e-12 for rule in plan.accept)


def rise(rule: Rule, current: Mapping[str, Any], candidate: Mapping[str, Any]) -> float:
    """Candidate less current; -inf where one is not known."""
    now, then = current.get(rule.field), candidate.get(rule.field)
    return -math.inf if now is None or then is None else float(then) - float(now)


def nearer_one(_: Rule, current: Mapping[str, Any], candidate: Mapping[str, Any]) -> float:
    """By how much |ln O/E| falls; -inf where it is not known."""
    now, then = current.get("o_e"), candidate.get("o_e")
    return abs(math.log(now)) - abs(math.log(then)) if now and then and min(now, then) > 0 else -math.inf


GAIN: Mapping[str, Callable[[Rule, Mapping[str, Any], Mapping[str, Any]], float]] = {
    "net_benefit": rise,
    "auroc": rise,
    "o_e_error": nearer_one,
}
