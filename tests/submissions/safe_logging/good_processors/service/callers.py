"""What callers say of themselves in headers: kept only in the form that was agreed on."""

import re
import uuid

REQUEST_ID = re.compile(r"[0-9a-f]{32}")
USER = re.compile(r"[a-z]{2,12}-[0-9]{1,6}")
SITES = ("north", "south", "east", "west")


def new_request_id():
    """Always our own: some callers' X-Request-ID is a hash of the patient's number, and no form tells that from chance.

    The answer's X-Request-ID tells the caller.
    """
    return uuid.uuid4().hex


def user_of(headers):
    """The practitioner's id; None where the header is missing or is something else."""
    given = headers.get("x-user", "")
    return given if USER.fullmatch(given) else None


def site_of(headers):
    given = headers.get("x-site")
    return given if given in SITES else None
