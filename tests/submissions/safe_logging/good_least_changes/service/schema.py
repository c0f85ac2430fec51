"""What a line of L/app.ndjson may hold (supplied)."""

EVENTS = ("request", "prediction", "upstream", "retry", "error", "startup")

# Fields that do not apply may be missing or null.
FIELDS = {
    "ts": "ISO 8601, UTC, with milliseconds: 2026-03-01T09:30:00.125Z",
    "level": "DEBUG, INFO, WARNING, ERROR or CRITICAL",
    "event": "one of EVENTS",
    "request_id": "what the answer's X-Request-ID says",
    "route": "the template: /patients/{id}",
    "status": "HTTP status; 499 when the client hung up; null for an upstream that did not answer",
    "ms": "how long it took, in milliseconds",
    "error_code": "the code in the error body, or one for a failure in the background",
    "error_class": "class of the exception that the service's own code met first: ReadTimeout",
    "where": "file.py:line of the service's own code in which it was raised",
    "site": "north, south, east or west",
    "attempt": "from 1; of a retry, the coming one",
    "upstream": "lab or anchor",
    "model_version": "version of the model in use",
    "patient_ref": "reference.patient_ref of the patient's logical id",
}
