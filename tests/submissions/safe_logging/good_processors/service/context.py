"""The request in hand: tasks inherit it, threads of the pool too; other threads are started with `carrying`."""

import contextvars
from dataclasses import dataclass, field

from .reference import patient_ref


@dataclass
class Current:
    """Shared by all that runs for one request, so that what one part learns the others know."""

    request_id: str | None = None
    user: str | None = None
    patient_ref: str | None = None
    error_code: str | None = None
    # (event, fields) that are true only once the answer has gone out.
    when_answered: list = field(default_factory=list)

    def about(self, patient_id):
        """This request is about one patient, whom we know."""
        self.patient_ref = patient_ref(patient_id)


NOBODY = Current()
_current = contextvars.ContextVar("current", default=NOBODY)


def current():
    return _current.get()


def begin(request_id, user):
    """The state of a new request, which is the current one from here on."""
    state = Current(request_id, user)
    _current.set(state)
    return state


def carrying(function):
    """`function`, to be run in another thread for the request in hand."""
    context = contextvars.copy_context()
    return lambda *args: context.run(function, *args)
