"""Whether a service did its work: answers as the contract says, errors that tell nothing, and a log that holds."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.measures.evidence import LINE, counted
from graders.measures.log_evidence import of_requests
from graders.measures.log_life import REQUEST_ID
from graders.measures.log_questions import share
from graders.measures.log_reading import LEVELS, Event, Log, moment, number, text
from synthetic_data.log_writer import VERSION

if TYPE_CHECKING:
    from graders.measures.log_life import Answer, Life
    from graders.measures.log_traces import Traces
    from synthetic_data.recipes.safe_logging import Expected, Truth

RISK_TOLERANCE = 1.01e-4  # one in the last of four decimals
EVENTS = frozenset({"request", "prediction", "upstream", "retry", "error", "startup"})
FORGED = "forged"  # request id and route of the line that a name or a header tries to smuggle in
PLAYED = ("INFO", "DEBUG")
# What of an error answer's worth is coding errors, saying nothing in other answers, and failing closed.
CODED, QUIET, CLOSED = 0.6, 0.2, 0.2
_NUMBER = re.compile(r"MRN[0-9]+")
SOON = 0.9  # of a log that must be on disk while the service runs: the last lines may be on their way
MOST_NAMED = 6  # kinds of requests that a message names

Pair = tuple["Expected", "Answer"]


@dataclass(frozen=True)
class Judged:
    """parts: what is judged, in words -> share of it that is right.  fraction: what they earn together."""

    fraction: float
    parts: Mapping[str, float]
    message: str
    evidence: tuple[str, ...] = ()


def contract(lives: Sequence[Life], calls: Mapping[str, Sequence[Mapping[str, Any]]]) -> Judged:
    """Requests at INFO and DEBUG that were answered as the contract says, the laboratory asked as often as it says.

    calls: what the peers were asked.
    """
    asked_for = Counter(mrn for call in calls.get("@lab", ()) for mrn in _NUMBER.findall(str(call.get("path", ""))))

    def fits(one: Expected, answer: Answer) -> bool:
        # On a busy machine an answer may come too late and be asked for again; but none may be left out.
        return as_agreed(one, answer) and (one.status == 499 or asked_for[one.details.get("mrn", "")] >= len(one.calls))

    parts = {life.level: share(fits(*pair) for pair in pairs(life)) for life in played(lives)}
    asked = [(at, pair) for life in played(lives) for at, pair in numbered(life)]
    failed = [at for at, pair in asked if not fits(*pair)]
    right = len(asked) - len(failed)
    wrong = Counter(kind for _, _, kind in failed)
    said = f"{right} of {len(asked)} requests were answered as the contract says" + named(wrong)
    evidence = tuple(of_requests(failed, "not answered as the contract says"))
    return Judged(right / max(1, len(asked)), parts, said, evidence)


def errors(lives: Sequence[Life], traces: Traces) -> Judged:
    """Error answers that have code and request id and tell of nobody, and a service that fails closed.

    traces: finds everybody's details. Looked through are all answers but those of GET /patients/{id} that succeed.
    """
    asked = [(at, pair) for life in played(lives) for at, pair in numbered(life)]
    # Whoever may read a patient is told all; whoever hung up, nothing.
    rest = [
        (at, (one, a)) for at, (one, a) in asked if not one.code and one.route != "/patients/{id}" and one.status != 499
    ]
    places = [at for at, pair in asked if pair[0].code] + [at for at, _ in rest]
    failures, others = [pair for _, pair in asked if pair[0].code], [pair for _, pair in rest]
    telling = told(failures, traces), told(others, traces)
    # What is told once with a code is told whenever the input is like that.
    telling_codes = {failures[n][0].code for n in telling[0]}
    coded = [refused(*pair) and pair[0].code not in telling_codes for pair in failures]
    of_code: dict[str, list[bool]] = defaultdict(list)
    for (one, _), right in zip(failures, coded, strict=True):
        of_code[one.code].append(right)
    quiet = [as_agreed(*pair) and n not in telling[1] for n, pair in enumerate(others)]
    shut = [(at, pair) for life in lives if life.level == "blocked" for at, pair in numbered(life)]
    blocked = [pair for _, pair in shut]
    up, closed = ([as_agreed(*pair) for pair in blocked if bool(pair[0].code) == failing] for failing in (False, True))
    parts = {
        "errors with code and request id and nothing else": mean(map(mean, of_code.values())),
        "other answers that tell of nobody": mean(quiet),
        "no patient data while there is no audit log": mean(closed) * mean(up),
    }
    failed = [at for at, right in zip(places, [*coded, *quiet], strict=True) if not right]
    wrong = Counter(kind for _, _, kind in failed)
    # One that is not told again of each input: a code that told once is told whenever the input is like that.
    evidence = of_requests(failed, "answered otherwise, or told more than a code, or have a code that told more")
    evidence += of_requests(
        (at for at, pair in shut if not as_agreed(*pair)), "not answered as they must be without an audit log"
    )
    fraction = sum(weight * part for weight, part in zip((CODED, QUIET, CLOSED), parts.values(), strict=True))
    return Judged(fraction, parts, said(parts) + named(wrong), tuple(evidence))


def robustness(lives: Sequence[Life], truth: Truth, info: float, debug: float) -> Judged:
    """A log that nobody forges, and a service that goes on. info, debug: leaking share of kinds of requests at each."""
    logs = [Log(life, truth.keys["LOG_KEY"]) for life in played(lives)]
    blocked = [pair for life in lives if life.level == "blocked" for pair in pairs(life)]
    at_once = [mine(log, one) for log in logs for one in log.life.asked if one.kind == "concurrent"]
    mixed = [
        (log.life.level, n, one.kind)
        for log in logs
        for n, one in enumerate(log.life.asked, 1)
        if one.kind == "concurrent" and not mine(log, one)
    ]
    idle = [
        at
        for life in lives
        for at, pair in numbered(life)
        if (life.level == "blocked" and not pair[0].code and not as_agreed(*pair))
    ]
    odd = [at for life in lives if life.level == "DEBUG" for at, pair in numbered(life) if not as_agreed(*pair)]
    parts = {
        "a log of events of the service, none of them forged": mean(map(genuine, logs)),
        "as safe at DEBUG as at INFO": min(1.0, max(0.0, 1 - debug) / (1 - info)) if info < 1 else 0.0,
        "up while no log can be written": mean(as_agreed(*pair) for pair in blocked if not pair[0].code),
        "right answers at DEBUG": mean(as_agreed(*p) for life in lives if life.level == "DEBUG" for p in pairs(life)),
        "requests at the same time kept apart in the log": mean(at_once),
        "logs written as it goes": min(1.0, mean(map(written, played(lives))) / SOON),
    }
    evidence = [
        *(text for log in logs for text in strange_lines(log)),
        *of_requests(idle, "not answered while no log can be written"),
        *of_requests(odd, "not answered as the contract says"),
        *of_requests(mixed, "mixed up in app.ndjson with others of the same time"),
        *(
            f"app.ndjson and audit.ndjson at {life.level}: lines that came only when the service was told to leave"
            for life in played(lives)
            if written(life) < SOON
        ),
    ]
    return Judged(mean(parts.values()), parts, said(parts), tuple(evidence))


def written(life: Life) -> float:
    """Share of the lines of both logs that were there before the service was told to leave."""
    shares = []
    for lines in ([look.app for look in life.looks], [look.audit for look in life.looks]):
        last = [0, *(left for _, left in lines)]
        new = [(early - base, left - base) for (early, left), base in zip(lines, last, strict=False)]
        shares += [max(0, early) / left for early, left in new if left > 0]
    return mean(shares)


def played(lives: Iterable[Life]) -> list[Life]:
    """Those in which logs could be written."""
    return [life for life in lives if life.level in PLAYED]


def pairs(life: Life) -> list[Pair]:
    """(what was asked, what came back)."""
    return list(zip(life.asked, life.answers, strict=True))


def numbered(life: Life) -> list[tuple[tuple[str, int, str], Pair]]:
    """The same, each with (level, number from 1, kind of the request), as evidence has it."""
    return [((life.level, n, pair[0].kind), pair) for n, pair in enumerate(pairs(life), 1)]


def mean(rights: Iterable[float]) -> float:
    """Share that is right; 0 of none: a service that was never asked has shown nothing."""
    values = list(rights)
    return share(values) if values else 0.0


def as_agreed(one: Expected, answer: Answer) -> bool:
    """Whether an answer has the status, request id, code and content that the contract wants."""
    if answer.status != one.status:
        return False
    if one.status == 499:
        return True
    if answer.headers.get(REQUEST_ID, "") != one.rid or answer.code != one.code:
        return False
    if one.route == "/metrics":
        return bool(answer.body.strip())
    content = CONTENTS.get((one.kind if one.route == "/patients" else "", one.route))
    return bool(one.code) or content is None or content(one, answer.value)


def near(value: object, risk: float | None) -> bool:
    """Whether a value is this risk."""
    found = number(value)
    return found is not None and risk is not None and abs(found - risk) <= RISK_TOLERANCE


def about(one: Expected, value: Any) -> bool:
    """Whether a patient's JSON has all of their details, of which a request may have made longer ones."""
    fields = {field: detail for field, detail in one.details.items() if field != "note"}
    return value.get("id") == one.patient and all(d in str(value.get(field, "")) for field, d in fields.items())


def risks(one: Expected, value: Any) -> bool:
    """Whether a batch of one has its risk."""
    found = value.get("risks")
    return isinstance(found, list) and len(found) == 1 and near(found[0], one.risk)


def an_object(check: Callable[[Expected, dict[str, Any]], bool]) -> Callable[[Expected, Any], bool]:
    """The check, for values that are JSON objects."""
    return lambda one, value: isinstance(value, dict) and check(one, value)


# (kind where its route has several, route) -> whether the JSON of an answer that succeeds is right.
CONTENTS: Mapping[tuple[str, str], Callable[[Expected, Any], bool]] = {
    ("", "/health"): an_object(lambda one, value: value.get("status") == "ok"),
    ("create", "/patients"): an_object(lambda one, value: value.get("id") == one.patient),
    ("search_by_name", "/patients"): an_object(lambda one, value: value.get("ids") == [one.patient] * one.found),
    ("", "/patients/{id}"): an_object(about),
    ("", "/predict"): an_object(
        lambda one, value: near(value.get("risk"), one.risk) and value.get("model_version") == VERSION
    ),
    ("", "/bundle"): an_object(lambda one, value: value.get("patients") == 1),
    ("", "/batch"): an_object(risks),
    ("", "/label"): an_object(lambda one, value: value.get("label") == "printed"),
    ("", "/notify"): an_object(lambda one, value: value.get("accepted") is True),
}


def refused(one: Expected, answer: Answer) -> bool:
    """Whether an error has its status and, in header and body, its code and request id."""
    error = answer.value.get("error") if isinstance(answer.value, dict) else None
    return as_agreed(one, answer) and isinstance(error, dict) and error.get("request_id") == one.rid


def told(asked: Sequence[Pair], traces: Traces) -> set[int]:
    """Indices of the answers that hold a detail of anybody."""
    starts, end, lines = {}, 0, []
    for n, (_, answer) in enumerate(asked):
        # An id that was sent may come back; where it is logged, it is found there.
        headers = " ".join(f"{name}: {value}" for name, value in answer.headers.items() if name != REQUEST_ID)
        # One answer a line, so that a hit says whose answer it is in.
        line = f"{headers} {answer.body}".replace("\n", " ")
        starts[end], end = n, end + len(line) + 1
        lines.append(line)
    return {starts[hit.start] for hit in traces.find("\n".join(lines))}


def genuine(log: Log) -> float:
    """Share of a log's lines that are events as the contract has them; 0 for a log with a forged one, or none."""
    events = log.life.events
    if any(map(forged, events)):
        return 0.0
    return sum(map(of_the_service, events)) / max(1, len(log.life.lines))


def forged(event: Event) -> bool:
    """Whether a line is one that a name or a header smuggled in."""
    return FORGED in (text(event.get("request_id")), text(event.get("route")).strip("/"))


def of_the_service(event: Event) -> bool:
    """Whether a line is an event as the contract has it."""
    known = text(event.get("event")) in EVENTS and text(event.get("level")) in LEVELS
    return known and moment(event.get("ts")) is not None


def strange_lines(log: Log) -> Iterator[str]:
    """Evidence: lines that are forged, and lines that are no events of the service."""
    where, lines = f"app.ndjson at {log.life.level}", log.life.lines
    smuggled = [n for n, line in enumerate(lines) if line.value is not None and forged(line.value)]
    odd = [n for n, line in enumerate(lines) if line.value is None or not of_the_service(line.value)]
    if smuggled:
        yield counted(where, len(smuggled), len(lines), "lines forged", LINE, smuggled)
    if odd:
        yield counted(where, len(odd), len(lines), "lines are no events as the contract has them", LINE, odd)


def mine(log: Log, one: Expected) -> bool:
    """Whether a request has one `request` line, its calls and no other patient's reference on its lines."""
    refs = {text(line.get("patient_ref")) for line in log.of(one)} - {""}
    return (
        len(log.of(one, "request")) == 1
        and len(log.upstream[one.rid]) == len(one.calls)
        and refs <= {log.ref(one)}
        and {text(line.get("site")) for line in log.of(one, "request")} <= {"", one.site}
    )


def named(wrong: Counter[str]) -> str:
    """The end of a message: the kinds of requests that most of them are of."""
    if not wrong:
        return ""
    rest = f" and {len(wrong) - MOST_NAMED} more kinds" if len(wrong) > MOST_NAMED else ""
    return "; not " + ", ".join(f"{kind} ({n})" for kind, n in wrong.most_common(MOST_NAMED)) + rest


def said(parts: Mapping[str, float]) -> str:
    """The parts in words."""
    return ", ".join(f"{name}: {part:.0%}" for name, part in parts.items())
