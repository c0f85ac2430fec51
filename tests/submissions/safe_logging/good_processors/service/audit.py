"""Who took or gave whose data: FHIR R4 AuditEvents, in the chain of audit.ndjson."""

import threading
from datetime import UTC, datetime

from .chain import AuditChain, ChainError
from .context import current
from .errors import ServiceError
from .logs import say

TYPE = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "code": "rest",
    "display": "RESTful Operation",
}
SOURCE = {"observer": {"display": "readmission-service"}}


class AuditLog:
    def __init__(self, path, key, anchor, every):
        self.path, self.key, self.anchor, self.every = path, key, anchor, every
        self.lock, self.chain = threading.Lock(), None
        try:
            self.open()
        except (OSError, ChainError, ValueError) as error:
            say(f"audit.ndjson cannot be taken up: {type(error).__name__}; no patient data until it can")

    def open(self):
        if self.chain is None:
            self.chain = AuditChain(self.path, self.key)
        return self.chain

    def record(self, action, patient_ids):
        """Write one event, before data are given. Raises ServiceError 503 if it cannot be written."""
        event = audit_event(action, current().user, patient_ids)
        try:
            with self.lock:
                seq, mac = self.open().append(event)
                if seq % self.every == 0:
                    self.anchor.send(seq, mac)
        except (OSError, ChainError, ValueError) as error:
            raise ServiceError(503, "audit_unavailable") from error

    def close(self):
        with self.lock:
            if self.chain is not None and self.chain.seq:
                self.anchor.send(self.chain.seq, self.chain.mac)
        self.anchor.close()


def audit_event(action, user, patient_ids):
    """action: C, R or E. user: None if the caller did not say, or not as agreed."""
    who = {"reference": f"Practitioner/{user}"} if user else {"display": "unknown"}
    event = {
        "resourceType": "AuditEvent",
        "type": TYPE,
        "action": action,
        "recorded": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "outcome": "0",
        "agent": [{"who": who, "requestor": True}],
        "source": SOURCE,
    }
    if patient_ids:
        event["entity"] = [{"what": {"reference": f"Patient/{id}"}} for id in patient_ids]
    return event
