"""Which requests leave which details of a person in which channel of a service, and what that costs."""

from __future__ import annotations

import dataclasses
import re
from bisect import bisect_right as bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graders.measures.evidence import LINE
from graders.measures.log_forms import FIELDS, Planted
from graders.measures.log_starter_leaks import HEADERS, LEAKS, LINES, Cell, weight
from graders.measures.log_traces import Traces, readings

if TYPE_CHECKING:
    from graders.measures.log_life import Life
    from synthetic_data.recipes.safe_logging import Expected

CHANNELS = ("app", "audit", "printed", "files", "metrics", "errors", "anchor")
DIRECT = frozenset({"family", "given", "mrn", "ssn", "phone", "email", "address"})
ID, PLAIN = "id", "plain"
HOLDS_IDS = ("app", "printed", "files", "metrics")
REGISTRATION, TWICE = "create", "duplicate"
# Kinds of requests that leave what names people in the log or the output at INFO: one that slipped is costly, five are
# a habit, and so is what callers' headers leave on every line.
ENOUGH_TO_HOLD = 5
PEOPLE_TO_HOLD = 0.25  # or, whatever the kinds, be of this share of all people
HELD = ("app", "printed")
MOST_SPOTS = 3  # of a file, as evidence
MOST_PLACES = 4  # that a message names, those with most kinds of requests first

_PATIENT_ID = re.compile(r"p-[0-9a-f]{12}")
_REQUEST_ID = re.compile(r"[\w.:+/=-]{1,200}")


# Where a leak is: unit, number (0 where that is not known), kind of the request, field, how.
Spot = tuple[str, int, str, str, str]


@dataclass(frozen=True, order=True)
class Leak:
    """A field of people that can be read. level: of the life.  kind: of the requests that left it.

    field: one of FIELDS, or "id".  how: "plain", or the disguise.  times: lines that hold it.
    """

    level: str
    channel: str
    kind: str
    field: str
    how: str
    times: int


@dataclass(frozen=True)
class Leaks:
    """All that was found. people: which share of all is named in the log or the output at INFO.  asked: kinds sent.

    Practice lacks some; none means all.  spots: (level, channel, file) -> the first few, as evidence.
    """

    found: tuple[Leak, ...] = ()
    people: float = 0
    asked: frozenset[str] = frozenset()
    spots: Mapping[tuple[str, str, str], Sequence[Spot]] = dataclasses.field(default_factory=dict)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of requests that leak anything anywhere."""
        return frozenset(leak.kind for leak in self.found)

    @cached_property
    def cells(self) -> Mapping[Cell, float]:
        """(level, channel, kind) that leak -> weight."""
        named: dict[Cell, bool] = {}
        for leak in self.found:
            cell = leak.level, leak.channel, leak.kind
            named[cell] = named.get(cell, False) or leak.field in DIRECT
        return {cell: weight(cell, some) for cell, some in named.items()}

    def of(self, *channels: str) -> tuple[Leak, ...]:
        """Those of these channels."""
        return tuple(leak for leak in self.found if leak.channel in channels)


@dataclass(frozen=True)
class _Text:
    """Something to be read. requests: of each line, where it is known which request it answers.

    name: as evidence has it.  unit: what a line of it is, "" for nothing that can be counted.  numbers: of the lines,
    where they are not 1, 2, 3 …  before: how many come before the first.
    """

    level: str
    channel: str
    data: bytes | str
    name: str
    unit: str = LINE
    requests: Sequence[Expected] = ()
    numbers: Sequence[int] = ()
    before: int = 0

    def spot(self, line: int, kind: str, field: str, how: str) -> Spot:
        """A leak in one of its lines, from 0; in another reading than the plain one, -1."""
        if line < 0 or not self.unit or (self.numbers and line >= len(self.numbers)):
            return "", 0, kind, field, how
        return self.unit, self.numbers[line] if self.numbers else line + 1 + self.before, kind, field, how


class _People:
    """Who everybody is: people by number, and the requests that are about them."""

    def __init__(self, lives: Iterable[Life]) -> None:
        asked = [(life.level, one) for life in lives for one in life.asked]
        # A service may count its ids anew in each life.
        self.requests = {(level, one.rid): one for level, one in asked}
        about: dict[str, list[Expected]] = {}
        for _, one in asked:
            if one.patient:
                about.setdefault(one.patient, []).append(one)
        self.ids = list(about)
        self.number = {patient: k for k, patient in enumerate(self.ids)}
        # Everybody is registered, and then there is one request about them.
        self.main = [next((one for one in some if one.kind != REGISTRATION), some[0]) for some in about.values()]
        self.levels = {one.patient: level for level, one in asked}

    def on(self, line: str, level: str) -> list[Expected]:
        """The requests of a life whose ids a line holds."""
        said = ((level, rid) for rid in dict.fromkeys(_REQUEST_ID.findall(line)))
        return [self.requests[key] for key in said if key in self.requests]

    def kinds(self, persons: set[int], here: list[Expected]) -> dict[int, tuple[str, ...]]:
        """Person -> kinds of the requests about them that a line is of; if it does not say, the one after registration.

        here: the requests whose ids it holds. A line that says it is of a registration counts for what followed too,
        or whoever wrote that id everywhere would leak by one kind of requests only.
        A second registration under a number in use shows whose it is.
        """
        told = {self.number[one.patient]: one.kind for one in reversed(here) if one.patient}
        if any(one.kind == TWICE for one in here) or any(self.main[person].kind == TWICE for person in persons):
            told = {person: TWICE for person in persons if self.main[person].kind == REGISTRATION} | told
        kinds = {}
        for person in persons:
            main = self.main[person].kind
            kinds[person] = tuple(dict.fromkeys((told.get(person, main), main)))
            if told.get(person) != REGISTRATION:
                kinds[person] = kinds[person][:1]
        return kinds


def scanner(lives: Iterable[Life]) -> Traces:
    """Finds the details of everybody that the service was asked about."""
    return Traces(
        [
            Planted(number, field, one.details[field])
            for number, one in enumerate(_People(lives).main)
            for field in FIELDS
            if one.details.get(field)
        ]
    )


def found(lives: Sequence[Life], calls: Mapping[str, Sequence[Mapping[str, Any]]], traces: Traces) -> Leaks:
    """Every trace of a person, by the level of the life, the channel and the kind of the request.

    A line with a request id that is about the person is of that request. calls: what the peers were asked.
    traces: `scanner` of these lives.
    """
    people = _People(lives)
    times: Counter[tuple[str, str, str, str, str]] = Counter()
    named = set()
    spots: dict[tuple[str, str, str], dict[int, Spot]] = defaultdict(dict)
    for text in _texts(lives):
        for line, person, field, how, kind in _read(text, people, traces):
            times[text.level, text.channel, kind, field, how] += 1
            _keep(spots[text.level, text.channel, text.name], text.spot(line, kind, field, how))
            if text.level == "INFO" and text.channel in HELD and field in DIRECT:
                named.add(person)
    sent = _lines(f"{call.get('path', '')} {call.get('body', '')}" for call in calls.get("@anchor", ()))
    anchor = _Text("", "anchor", sent, "what the anchor was sent", "call")
    for line, person, field, how, kind in _read(anchor, people, traces):
        level = people.levels[people.ids[person]]
        times[level, "anchor", kind, field, how] += 1
        _keep(spots[level, "anchor", anchor.name], anchor.spot(line, kind, field, how))
    asked = frozenset(one.kind for life in lives for one in life.asked)
    return Leaks(
        tuple(sorted(Leak(*key, count) for key, count in times.items())),
        len(named) / max(1, len(people.ids)),
        asked,
        {place: tuple(some.values()) for place, some in spots.items()},
    )


def protection(leaks: Leaks, levels: Sequence[str] = ()) -> tuple[float, str]:
    """(weighted share of the starter's leaks that are closed less new ones, at least 0; what leaks, in words).

    levels: only of these.
    """

    def inside(cells: Mapping[Cell, float]) -> dict[Cell, float]:
        return {cell: worth for cell, worth in cells.items() if not levels or cell[0] in levels}

    starter, now = inside(LEAKS), inside(leaks.cells)
    if leaks.asked:
        starter = {cell: worth for cell, worth in starter.items() if cell[2] in leaks.asked}
    lost = sum(starter.get(cell, worth) for cell, worth in now.items())
    return max(0.0, 1 - lost / (sum(starter.values()) or 1)), in_words(leaks, now)


def hold(leaks: Leaks) -> str:
    """Why the submission is held: what names people is in the log or the output at INFO; else "".

    After several kinds of requests, or of many people.
    """
    some = [leak for leak in leaks.of(*HELD) if leak.level == "INFO" and leak.field in DIRECT]
    kinds = {leak.kind for leak in some}
    headers = {leak.kind for leak in some if leak.channel in LINES} & set(HEADERS)
    if len(kinds) < ENOUGH_TO_HOLD and not headers and leaks.people < PEOPLE_TO_HOLD:
        return ""
    places = sorted({leak.channel for leak in some})
    whose = f" of {leaks.people:.0%} of all people" if leaks.people else ""
    after = f"{len(kinds)} kinds: {_few(sorted(kinds))}" if len(kinds) > 1 else min(kinds)
    return f"at INFO, {' and '.join(places)} hold {', '.join(_fields(some))}{whose} after requests of {after}"


def in_words(leaks: Leaks, cells: Iterable[Cell]) -> str:
    """The levels and channels, with the fields and the kinds of requests."""
    kinds: dict[tuple[str, str], set[str]] = defaultdict(set)
    for level, channel, kind in cells:
        kinds[level, channel].add(kind)
    said = []
    for (level, channel), some in sorted(kinds.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        fields = _fields(leak for leak in leaks.of(channel) if leak.level == level)
        new = sorted(kind for kind in some if (level, channel, kind) not in LEAKS)
        more = f", new: {_few(new)}" if new else ""
        said.append(f"{channel} at {level}: {_few(fields)} after {_few(sorted(some))}{more}")
    rest = [f"{len(said) - MOST_PLACES} more places"] if len(said) > MOST_PLACES else []
    return "; ".join(said[:MOST_PLACES] + rest)


def _fields(leaks: Iterable[Leak]) -> list[str]:
    """The fields, with how they are disguised if they are nowhere as they are: they would be looked for in vain."""
    seen: dict[str, set[str]] = defaultdict(set)
    for leak in leaks:
        seen[leak.field].add(leak.how)
    return [f"{name} ({', '.join(sorted(h)[:2])})" if PLAIN not in h else name for name, h in sorted(seen.items())]


def _few(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _keep(spots: dict[int, Spot], spot: Spot) -> None:
    """Add a spot to those of a file, if it is in one of the first lines; of a line, one."""
    number = spot[1]
    if number in spots or len(spots) < MOST_SPOTS:
        spots[number] = min(spot, spots.get(number, spot))


def _texts(lives: Iterable[Life]) -> Iterator[_Text]:
    for life in lives:
        app, audit, printed = life.before
        yield _Text(life.level, "app", life.app, "app.ndjson", before=app)
        yield _Text(life.level, "audit", life.audit, "audit.ndjson", before=audit)
        yield _Text(life.level, "printed", life.printed, "standard output and error", before=printed)
        names = "\n".join(name.replace("\n", " ") for name in life.home)
        yield _Text(life.level, "files", names, "names of other files", "")
        for number, (_, data) in enumerate(sorted(life.home.items()), 1):
            yield _Text(life.level, "files", data, f"another file (no. {number} by name)")
        pairs = list(zip(life.asked, life.answers, strict=False))
        # What /metrics shows is of everybody so far.
        metrics = "\n".join(a.body for q, a in pairs if q.route == "/metrics")
        yield _Text(life.level, "metrics", metrics, "answers to /metrics", "")
        failed = [(n, q, a) for n, (q, a) in enumerate(pairs, 1) if a.status >= 400]
        told = _lines(" ".join((a.body, *(f"{name}: {t}" for name, t in a.headers.items()))) for *_, a in failed)
        asked, numbers = [q for _, q, _ in failed], [n for n, *_ in failed]
        yield _Text(life.level, "errors", told, "error answers", "request", asked, numbers)


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(text.replace("\n", " ") for text in texts)


def _read(text: _Text, people: _People, traces: Traces) -> Iterator[tuple[int, int, str, str, str]]:
    """(line from 0, person, field, how, kind) of everything that can be read; -1 for what had to be unpacked."""
    for reading, shown in enumerate(readings(text.data) if isinstance(text.data, bytes) else [text.data]):
        starts = [0, *(match.end() for match in re.finditer("\n", shown))]
        by_line: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
        for hit in traces.find(shown):
            by_line[bisect(starts, hit.start) - 1].append((hit.request, hit.field, hit.how))
        if text.channel in HOLDS_IDS:
            for match in _PATIENT_ID.finditer(shown):
                if (person := people.number.get(match.group())) is not None:
                    by_line[bisect(starts, match.start()) - 1].append((person, ID, PLAIN))
        for number, here in sorted(by_line.items()):
            persons = {person for person, _, _ in here}
            if number < len(text.requests):
                kinds: dict[int, tuple[str, ...]] = dict.fromkeys(persons, (text.requests[number].kind,))
            else:
                end = starts[number + 1] if number + 1 < len(starts) else None
                kinds = people.kinds(persons, people.on(shown[starts[number] : end], text.level))
            for person, field, how in here:
                for kind in kinds[person]:
                    yield -1 if reading else number, person, field, how, kind
