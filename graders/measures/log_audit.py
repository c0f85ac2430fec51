"""Whether the audit log holds every access, as a chain that shows when somebody changes it."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.harness.reading import Unreadable, parse_json
from graders.measures.audit_event import valid
from graders.measures.evidence import LINE, counted, several
from graders.measures.log_evidence import of_leaks, requests
from graders.measures.log_life import Life, lines_of
from synthetic_data.log_workload import ODD_USERS

if TYPE_CHECKING:
    from graders.measures.log_leaks import Leaks
    from synthetic_data.recipes.safe_logging import Expected, Play, Truth

START = "0" * 64
# What each part is worth of what complete records earn.
WORTH = {"chain": 0.25, "anchors": 0.2, "restart": 0.15, "who": 0.15, "valid": 0.15, "clean": 0.1}
WORDS = {
    "chain": "an edit, a deletion or another order would not show, or the chain does not hold as it is",
    "anchors": "lines cut off at the end would not show: heads of the chain were not sent away as the card asks",
    "restart": "the chain does not go on over a restart",
    "who": "who accessed is not told as Practitioner/<X-User>",
    "valid": "events are no valid FHIR R4 AuditEvent of a success",
    "clean": "events hold details of people",
}
WRONG = {"who": "events do not tell who accessed", "valid": "events are no valid AuditEvent of a success"}
OUT_OF_ORDER = 0.5
ON_THE_WAY = 2  # heads that sixteen requests at once may ask for just before the look
# By then the laboratory has the number, or the printer the name. Who records an access before it, as is careful, has
# recorded these; who records what was given out has not.
AFTER_USE = frozenset({"lab_timeout", "lab_failed", "lab_garbled", "label_failed"})
FORGED = ("{", '"', "forged")  # what no clean form of a folded header holds
NOBODY = "no patient of theirs"
MOST_KINDS = 4
# FHIR calls a search and an operation "E", a log of patient data may call what they show "R".
_ACTIONS = {"/patients/{id}": "R", "/predict": "RE", "/patients": "RE", "/label": "RE", "/notify": "RE"}


@dataclass(frozen=True)
class Trail:
    """The audit log of one life. events: of each line, {} where there is none.  seqs, macs: as written.

    fits: whether the line follows from the one before.  sealed: whether its mac is right for what it holds.
    requests: number of the request it records, None for none.  kinds: of that request, or of one about the same person.
    restarts: per restart, the first and last line that may be the first after it.
    """

    events: tuple[Mapping[str, Any], ...]
    seqs: tuple[object, ...]
    macs: tuple[object, ...]
    fits: tuple[bool, ...]
    sealed: tuple[bool, ...]
    requests: tuple[int | None, ...]
    kinds: tuple[str, ...]
    restarts: tuple[tuple[int, int], ...]

    def first_after(self, restart: int) -> int:
        """The first line after a restart: where there is a break, that is the one."""
        low, high = self.restarts[restart]
        return next((k for k in range(low, min(high + 1, len(self.fits))) if not self.fits[k]), high)


def judge(
    lives: Sequence[Life], calls: Mapping[str, Sequence[Mapping[str, Any]]], truth: Truth, leaks: Leaks
) -> tuple[float, str, tuple[str, ...]]:
    """Fraction in [0, 1], message, evidence: share of complete records x the weighted parts of WORTH; mean of lives."""
    earned, said = [], []
    evidence: list[str] = []
    pairs = [(life, play) for life, play in zip(lives, truth.plays, strict=True) if life.level != "blocked"]
    trails = [read(life, play, truth.keys["AUDIT_KEY"]) for life, play in pairs]
    sent = list(heads(calls.get("@anchor", ())))
    for (life, play), trail in zip(pairs, trails, strict=True):
        share, wrong = complete(trail, play)
        own = [leak for leak in leaks.of("audit") if leak.level == life.level]
        who, fine = told_who(trail, play), sound(trail, play)
        parts = {
            "chain": whole(trail),
            "anchors": anchored(trail, sent, truth.card) * in_time(life, trail, sent, truth.card),
            "restart": continued(trail),
            "who": _share(list(who.values())),
            "valid": _share(fine),
            "clean": float(not own),
        }
        kinds = {
            "who": [trail.kinds[k] for k, right in who.items() if not right],
            "valid": [kind for kind, right in zip(trail.kinds, fine, strict=True) if not right],
            "clean": [leak.kind for leak in own for _ in range(leak.times)],
        }
        earned.append(share * sum(WORTH[name] * part for name, part in parts.items()))
        flawed = {name: part for name, part in parts.items() if part < 1 and share}
        wrong += [f"{WORDS[name]} ({part:.0%} right{_few(kinds.get(name, ()), ': ')})" for name, part in flawed.items()]
        said += [f"at {life.level}: {', '.join(wrong)}"] if wrong else []
        lost = {
            "who": [k for k, right in who.items() if not right],
            "valid": [k for k, right in enumerate(fine) if not right],
        }
        evidence += unrecorded(life, trail, play)
        evidence += located(life, trail, {name: lost.get(name, []) for name in flawed}, leaks)
    return (sum(earned) / len(earned) if earned else 0.0), "; ".join(said), tuple(evidence)


def unrecorded(life: Life, trail: Trail, play: Play) -> Iterator[str]:
    """Evidence: accesses that are not recorded, and events of none."""
    kept = {n for n in trail.requests if n is not None}
    missing = [(n + 1, one.kind) for n, one in enumerate(play.requests) if _must(one) and n not in kept]
    if missing:
        yield requests(f"audit.ndjson at {life.level} lacks ", missing, "accesses not recorded")
    spare = [k for k, n in enumerate(trail.requests) if n is None]
    if spare:
        verb = "events of no access that was granted"
        yield counted(f"audit.ndjson at {life.level}", len(spare), len(trail.requests), verb, LINE, spare)


def located(life: Life, trail: Trail, flawed: Mapping[str, Sequence[int]], leaks: Leaks) -> Iterator[str]:
    """Evidence: where the parts of WORTH that are flawed lose; of some, the lines."""
    file = f"audit.ndjson at {life.level}"
    for name, some in flawed.items():
        if name == "clean":
            yield from of_leaks(leaks, [life.level], ["audit"])
        elif name == "chain":
            fresh = {trail.first_after(k) for k in range(len(trail.restarts))}
            broken = [k for k, fits in enumerate(trail.fits) if not fits and not (k in fresh and trail.sealed[k])]
            yield f"{file}, {f'line {broken[0] + 1}' if broken else 'seq, prev, mac'}: the chain breaks"
        elif name == "restart":
            firsts = [trail.first_after(k) for k in range(len(trail.restarts))]
            wrong = [k + 1 for k in firsts if not (0 < k < len(trail.fits) and trail.fits[k])]
            yield f"{file}, {several(LINE, wrong)}: the chain does not go on over a restart"
        elif name == "anchors":
            yield f"what the anchor was sent of {file}: not the heads that the card asks for, or not in time"
        else:
            yield counted(file, len(some), len(trail.events), WRONG[name], LINE, some)


def seal(key: str, prev: str, event: object) -> str:
    """HMAC-SHA256(key, prev + canonical event) in hex; "" for what cannot be written as UTF-8."""
    try:
        canonical = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hmac.new(key.encode(), (prev + canonical).encode(), hashlib.sha256).hexdigest()
    except (ValueError, RecursionError):
        return ""


def read(life: Life, play: Play, key: str) -> Trail:
    """The audit log of a life."""
    entries = [line.value or {} for line in lines_of(life.audit)]
    sealed, fits = [], []
    before: Mapping[str, Any] = {"seq": 0, "mac": START}
    for entry in entries:
        seq, prev, mac, event = (entry.get(name) for name in ("seq", "prev", "mac", "event"))
        whole = isinstance(event, dict) and isinstance(prev, str) and type(seq) is int
        sealed.append(whole and mac == seal(key, str(prev), event))
        follows = type(before.get("seq")) is int and seq == before["seq"] + 1 and prev == before.get("mac")
        fits.append(sealed[-1] and follows)
        before = entry
    events = tuple(event if isinstance(event := entry.get("event"), dict) else {} for entry in entries)
    requests = tuple(_recorded(events, life.asked))
    ends = list(itertools.accumulate(count for role, count in play.steps if role == "http"))[:-1]
    restarts = []
    # Searches in vain are like one another, and what was given up may be recorded late.
    known = [(k, n, life.asked[n]) for k, n in enumerate(requests) if n is not None]
    sure = [(k, n) for k, n, one in known if not _vain(one) and one.status != 499]
    for end in ends:
        old = [k for k, n in sure if n < end]
        new = [k for k, n in sure if n >= end]
        low = old[-1] + 1 if old else 0
        restarts.append((low, max(low, new[0] if new else len(entries))))
    return Trail(
        events, tuple(e.get("seq") for e in entries), tuple(e.get("mac") for e in entries), tuple(fits), tuple(sealed),
        requests, tuple(_kinds(events, requests, life.asked)), tuple(restarts),
    )  # fmt: skip


def _recorded(events: Sequence[Mapping[str, Any]], asked: Sequence[Expected]) -> Iterator[int | None]:
    """Of each event, the number of the request that it records."""
    waiting: dict[frozenset[str], list[int]] = defaultdict(list)
    for number, one in enumerate(asked):
        if one.access or _may(one):
            waiting[frozenset(() if _vain(one) else {one.patient})].append(number)
    for event in events:
        some = waiting.get(_patients(event), [])
        action = event.get("action")
        fit = [n for n in some if isinstance(action, str) and len(action) == 1 and action in _actions(asked[n])]
        # Searches in vain differ by who searched only.
        best = next((n for n in fit if _names(event, asked[n])), fit[0] if fit else None)
        if best is not None:
            some.remove(best)
        yield best


def _kinds(
    events: Sequence[Mapping[str, Any]], requests: Sequence[int | None], asked: Sequence[Expected]
) -> Iterator[str]:
    """Of each event, the kind of the request that it records; of a spare one, of the likeliest about its patient."""
    about: dict[str, list[Expected]] = defaultdict(list)
    for one in asked:
        about[one.patient].append(one)
    for event, number in zip(events, requests, strict=True):
        if number is not None:
            yield asked[number].kind
            continue
        some = [one for patient in sorted(_patients(event) - {""}) for one in about.get(patient, ())]
        same = [one for one in some if event.get("action") in list(_actions(one))]
        yield (same or some)[-1].kind if some else NOBODY


def _must(one: Expected) -> bool:
    """Whether an event is asked for."""
    return bool(one.access) and not _vain(one)


def _may(one: Expected) -> bool:
    """Whether an event is neither asked for nor spare."""
    return one.status == 499 or one.code in AFTER_USE or _vain(one)


def _vain(one: Expected) -> bool:
    """Whether it is a search that found nobody: nothing was given, and an event of it is about nobody."""
    return bool(one.access) and not one.found


def _actions(one: Expected) -> str:
    return "C" if one.access == "C" else _ACTIONS.get(one.route, "")


def _patients(event: Mapping[str, Any]) -> frozenset[str]:
    references = (_inner(entity, "what", "reference") for entity in _list(event.get("entity")))
    return frozenset(r.removeprefix("Patient/") for r in references if isinstance(r, str) and r.startswith("Patient/"))


def _names(event: Mapping[str, Any], one: Expected) -> bool:
    """Whether the event says that the user of the request asked."""
    agents = _list(event.get("agent"))
    said = [_inner(agent, "who", "reference") for agent in agents if _inner(agent, "requestor") is True]
    if ODD_USERS.get(one.kind) != one.route:
        return f"Practitioner/{one.user}" in said
    # A user id that is none may be cleaned, or left out, but not written down as it came.
    unclean = FORGED if one.kind == "crlf" else tuple(one.details[name].lower() for name in ("given", "family"))
    clean = all(text.isprintable() and not any(mark in text.lower() for mark in unclean) for text in _texts(agents))
    named = [isinstance(who, str) and who.removeprefix("Practitioner/") not in ("", who) for who in said]
    return clean and any(who is None or right for who, right in zip(said, named, strict=True))


def complete(trail: Trail, play: Play) -> tuple[float, list[str]]:
    """(recall x precision of the accesses, what is wrong). What need not be recorded but may be counts in neither."""
    kept = {n for n in trail.requests if n is not None}
    wanted = [n for n, one in enumerate(play.requests) if _must(one)]
    missing = [play.requests[n].kind for n in wanted if n not in kept]
    spare = [kind for kind, n in zip(trail.kinds, trail.requests, strict=True) if n is None]
    good = len(wanted) - len(missing)
    wrong = [f"{len(missing)} of {len(wanted)} accesses are not recorded ({_few(missing)})"] if missing else []
    wrong += [f"{len(spare)} events are of no access that was granted ({_few(spare)})"] if spare else []
    if not wrong:
        return 1.0, []
    return good / len(wanted) * good / (good + len(spare)) if good else 0.0, wrong


def whole(trail: Trail) -> float:
    """Share of the lines that a verifier reaches before the first that does not fit; restarts are judged elsewhere."""
    fresh = {trail.first_after(k) for k in range(len(trail.restarts))}
    good = [fits or (k in fresh and trail.sealed[k]) for k, fits in enumerate(trail.fits)]
    return good.index(False) / len(good) if False in good else float(bool(good))


def continued(trail: Trail) -> float:
    """Share of the restarts over which the chain goes on."""
    firsts = [trail.first_after(k) for k in range(len(trail.restarts))]
    return _share([0 < k < len(trail.fits) and trail.fits[k] for k in firsts]) if firsts else 1.0


def heads(calls: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """(seq, mac) of everything that the anchor was sent; (0, "") for what is none."""
    for call in calls:
        try:
            value = parse_json(str(call.get("body", "")).encode("utf-8", "replace"))
        except Unreadable:
            value = None
        seq, mac = (value.get("seq"), value.get("mac")) if isinstance(value, dict) else (0, "")
        yield (seq, mac) if type(seq) is int and isinstance(mac, str) else (0, "")


def anchored(trail: Trail, sent: Sequence[tuple[int, str]], card: Mapping[str, Any]) -> float:
    """Agreement (Jaccard) of the heads that were sent with those that should have been; less where out of order."""
    there = {
        (seq, mac)
        for seq, mac in zip(trail.seqs, trail.macs, strict=True)
        if isinstance(seq, int) and isinstance(mac, str)
    }
    good = {seq for seq, mac in sent if (seq, mac) in there}
    wanted = set(range(card["anchor_every"], len(trail.seqs) + 1, card["anchor_every"])) | {len(trail.seqs)}
    for low, high in trail.restarts:
        wanted.add(next((seq for seq in range(high, low - 1, -1) if seq in good), high))
    wanted.discard(0)
    share = len(good & wanted) / len(good | wanted) if wanted else 0.0
    order = [seq for seq, mac in sent if (seq, mac) in there]
    return share * (1 if order == sorted(order) else OUT_OF_ORDER)


def in_time(life: Life, trail: Trail, sent: Sequence[tuple[int, str]], card: Mapping[str, Any]) -> float:
    """Share of the heads that were due while the service ran and were sent by then, but for what is on its way."""
    first = {head: n for n, head in reversed(list(enumerate(sent)))}
    heads_of = {seq: mac for seq, mac in zip(trail.seqs, trail.macs, strict=True) if type(seq) is int}
    low, due, late = 0, 0, 0
    for look in life.looks:
        seen = [seq for seq in range(low + 1, look.audit[0] + 1) if seq % card["anchor_every"] == 0]
        when = [first.get((seq, str(heads_of.get(seq)))) for seq in seen]
        due += len(seen)
        late += max(0, sum(n is None or n >= look.anchors for n in when) - ON_THE_WAY)
        low = look.audit[1]
    return 1 - late / due if due else 1.0


def told_who(trail: Trail, play: Play) -> dict[int, bool]:
    """Of each event that records a request about somebody, by its number: whether it names the user."""
    kept = [(k, event, play.requests[n]) for k, (event, n) in enumerate(_pairs(trail)) if n is not None]
    return {k: _names(event, one) for k, event, one in kept if not _vain(one)}


def sound(trail: Trail, play: Play) -> list[bool]:
    """Of each event, whether it is valid and tells of a success; of what failed it may tell otherwise."""
    return [
        valid(event) and (event.get("outcome") == "0" or (n is not None and not play.requests[n].access))
        for event, n in _pairs(trail)
    ]


def _pairs(trail: Trail) -> Iterable[tuple[Mapping[str, Any], int | None]]:
    return zip(trail.events, trail.requests, strict=True)


def _few(kinds: Sequence[str], before: str = "") -> str:
    """The most frequent kinds, each with its number."""
    some = sorted(Counter(kinds).items(), key=lambda pair: (-pair[1], pair[0]))
    more = [f"{len(some) - MOST_KINDS} more kinds"] if len(some) > MOST_KINDS else []
    return before * bool(some) + ", ".join([f"{kind} {count}" for kind, count in some[:MOST_KINDS]] + more)


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, however deep."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict | list):
            rest += one.values() if isinstance(one, dict) else one


def _inner(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right) if right else 0.0
