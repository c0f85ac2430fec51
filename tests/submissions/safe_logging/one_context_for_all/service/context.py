"""The request in hand: what its log lines and audit events say about it."""

import re
from dataclasses import dataclass

SITES = ("north", "south", "east", "west")
# A narrow form: a number or a name of a patient fits into any that is generous.
USER = re.compile(r"prac-[0-9]{1,6}")
REQUEST_ID = re.compile(r"[0-9a-f]{32}")


@dataclass
class Context:
    """Headers are the caller's text: one that has not the form it should have is left out."""

    request_id: str
    user: str = "unknown"
    site: str | None = None
    patient_ref: str | None = None
    error_code: str | None = None


class Current:
    """The request in hand."""

    def __init__(self):
        self.context = None

    def get(self):
        return self.context

    def set(self, context):
        self.context = context


current = Current()


def well_formed(text, form, otherwise):
    """The text, if it has this form."""
    return text if form.fullmatch(text or "") else otherwise
