"""What is known of the request in hand, in whatever thread or task works for it."""

import re
import uuid
from contextvars import ContextVar
from dataclasses import dataclass, field

# Hexadecimal, with dashes or without: a UUID, a trace id. Nothing that can be a name, a number of eight digits, a telephone.
REQUEST_ID = re.compile(r"[0-9A-Fa-f-]{16,64}")


def new_id():
    return uuid.uuid4().hex


@dataclass
class Work:
    """One request. Threads and tasks started for it inherit the variable and so share the object."""

    request_id: str = field(default_factory=new_id)
    site: str | None = None
    user: str | None = None
    patient_ref: str | None = None
    error_code: str | None = None
    model_version: str | None = None  # set when a risk is ready to be given out


work: ContextVar[Work | None] = ContextVar("work", default=None)


def now():
    """The request in hand; an empty one outside of requests."""
    return work.get() or Work(request_id=None)


def request_id_of(given):
    """The caller's, if it is one; otherwise a new one (it goes back in the answer's header)."""
    return given if given and REQUEST_ID.fullmatch(given) else new_id()
