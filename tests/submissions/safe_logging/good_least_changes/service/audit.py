"""The audit log: one FHIR R4 AuditEvent for each access to patient data, and its head sent to the anchor."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx

from .chain import AuditChain, ChainError
from .errors import ServiceError
from .logs import current, event

TYPE = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110110", "display": "Patient Record"}


class Audit:
    """Reads AUDIT_KEY, ANCHOR_URL and ANCHOR_EVERY; the file is opened when it can be."""

    def __init__(self, path):
        self.path, self.key = path, os.environ["AUDIT_KEY"]
        self.url, self.every = os.environ["ANCHOR_URL"], int(os.environ["ANCHOR_EVERY"])
        self.client = httpx.Client(timeout=0.5, trust_env=False)
        self.chain, self.lock, self.sender = None, threading.Lock(), ThreadPoolExecutor(1)
        try:
            self.opened()
        except (OSError, ChainError):
            pass  # Every access says so, with a 503, until it can be opened.

    def opened(self):
        with self.lock:
            if self.chain is None:
                self.chain = AuditChain(self.path, self.key)
            return self.chain

    def record(self, action, patient_ids):
        """Write down that the caller did `action` with these patients. Raises ServiceError if that cannot be done."""
        try:
            seq, mac = self.opened().append(audit_event(action, patient_ids, current.get()["user"]))
        except (OSError, ChainError) as error:
            raise ServiceError(503, "audit_unavailable") from error
        if seq % self.every == 0:
            self.sender.submit(self.send, seq, mac)

    def send(self, seq, mac):
        started, fields = time.perf_counter(), {"status": None}
        try:
            fields["status"] = self.client.post(self.url, json={"seq": seq, "mac": mac}).status_code
        except Exception as error:  # Nobody there, or no address: the service goes on.
            fields["error_class"] = type(error).__name__
        event("upstream", upstream="anchor", attempt=1, ms=round((time.perf_counter() - started) * 1000, 1), **fields)

    def close(self):
        """Send the last line's seal."""
        self.sender.shutdown(cancel_futures=True)
        if self.chain is not None and self.chain.seq:
            self.send(self.chain.seq, self.chain.mac)


def audit_event(action, patient_ids, user):
    who = {"reference": f"Practitioner/{user}"} if user else {"display": "unknown"}
    found = {
        "resourceType": "AuditEvent",
        "type": TYPE,
        "action": action,
        "recorded": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "outcome": "0",
        "agent": [{"who": who, "requestor": True}],
        "source": {"observer": {"display": "readmission risk service"}},
    }
    if patient_ids:
        found["entity"] = [{"what": {"reference": f"Patient/{each}"}} for each in patient_ids]
    return found
