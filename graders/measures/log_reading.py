"""An application log, read by request.

A log is hostile input: no field need have its type.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graders.measures.log_life import Life
    from synthetic_data.recipes.safe_logging import Expected

Event = Mapping[str, Any]

LONGEST_TEXT = 200
MOST_ERRORS = 3  # `error` lines of one request that are read
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class Log:
    """The application log of one life. key: LOG_KEY."""

    life: Life
    key: str

    @cached_property
    def lines(self) -> Mapping[str, Mapping[str, list[Event]]]:
        """request_id -> event -> lines, of requests that were asked; "" is any event."""
        found: dict[str, dict[str, list[Event]]] = {one.rid: defaultdict(list) for one in self.life.asked}
        for event in self.life.events:
            mine = found.get(self.owner(event))
            if mine is not None:
                mine[""].append(event)
                if name := text(event.get("event")):
                    mine[name].append(event)
        return found

    @cached_property
    def hung_up(self) -> Mapping[str, str]:
        """patient_ref -> request_id of the requests whose callers were never told under which id the log has them."""
        return {self.ref(one): one.rid for one in self.life.asked if one.status == 499 and one.patient}

    def owner(self, line: Event) -> str:
        """The request_id of whose line it is, "" of nobody's: as it says, or as the patient tells."""
        rid = text(line.get("request_id"))
        return rid if rid in self.rids else self.hung_up.get(text(line.get("patient_ref")), "")

    @cached_property
    def rids(self) -> frozenset[str]:
        """The ids of all requests."""
        return frozenset(one.rid for one in self.life.asked)

    def of(self, one: Expected, event: str = "") -> Sequence[Event]:
        """Its lines of an event, or all."""
        return self.lines[one.rid].get(event, ())

    def named(self, event: str) -> list[Event]:
        """All lines of an event, whosever."""
        return [line for line in self.life.events if text(line.get("event")) == event]

    @cached_property
    def whole(self) -> list[Expected]:
        """The requests whose callers waited for the answer."""
        return [one for one in self.life.asked if one.status != 499]

    @cached_property
    def failed(self) -> list[Expected]:
        """Those of them that were answered with an error."""
        return [one for one in self.whole if one.code]

    @cached_property
    def upstream(self) -> Mapping[str, list[Event]]:
        """request_id -> lines on calls of the laboratory."""
        return {
            one.rid: [line for line in self.of(one, "upstream") if text(line.get("upstream")) == "lab"]
            for one in self.whole
        }

    @cached_property
    def callers(self) -> list[Expected]:
        """Requests that ask the laboratory."""
        return [one for one in self.whole if one.calls]

    def said(self, one: Expected, field: str) -> set[str]:
        """What its `request` and `error` lines say in a field."""
        return {text(line.get(field)) for name in ("request", "error") for line in self.of(one, name)} - {""}

    def ref(self, one: Expected) -> str:
        """patient_ref of whom it is about: first 16 hex digits of HMAC-SHA256(LOG_KEY, logical id); "" for nobody."""
        return hmac.new(self.key.encode(), one.patient.encode(), "sha256").hexdigest()[:16] if one.patient else ""

    def errors(self, one: Expected) -> Sequence[Event]:
        """Its first `error` lines."""
        return self.of(one, "error")[:MOST_ERRORS]


def text(value: object) -> str:
    """A field that is a text of bearable length; else ""."""
    return value if isinstance(value, str) and len(value) <= LONGEST_TEXT else ""


def number(value: object) -> float | None:
    """A field that is a number in the range of milliseconds and statuses; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e9 < value < 1e9:
        return None
    return float(value)


def moment(value: object) -> float | None:
    """Seconds since 1970 of an ISO 8601 time with its zone; else None."""
    try:
        then = datetime.fromisoformat(text(value))
        return then.timestamp() if then.tzinfo else None
    except (ValueError, OverflowError):
        return None
