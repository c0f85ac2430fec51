"""What callers are told when something goes wrong: a code and its status."""

STATUS = {
    "malformed_json": 400,
    "invalid_patient": 422,
    "duplicate_patient": 409,
    "constraint_failed": 422,
    "unknown_patient": 404,
    "invalid_query": 422,
    "invalid_input": 422,
    "lab_timeout": 504,
    "lab_failed": 502,
    "lab_garbled": 502,
    "invalid_bundle": 422,
    "invalid_batch": 422,
    "label_failed": 500,
    "audit_unavailable": 503,
    "internal_error": 500,
}


class Problem(Exception):
    """Ends a request with this code. What began it is its __cause__; it has no text of its own."""

    def __init__(self, code):
        super().__init__(code)
        self.code, self.status = code, STATUS[code]


class turning:  # noqa: N801 - reads as a verb: with turning(KeyError, into="unknown_patient")
    """Turns exceptions of these classes into a Problem, at the place where they are understood."""

    def __init__(self, *classes, into):
        self.classes, self.code = classes, into

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trail):
        if isinstance(error, self.classes) and not isinstance(error, Problem):
            raise Problem(self.code) from error
