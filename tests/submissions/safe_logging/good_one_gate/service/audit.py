"""The audit log: an AuditEvent for each time that patient data are taken or given, before they are."""

import os
import queue
import threading
import time

import httpx

from . import logs
from .chain import AuditChain, ChainError
from .errors import ServiceError

TYPE = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest", "display": "RESTful Operation"}
INTERACTION = "http://hl7.org/fhir/restful-interaction"
ANCHOR_TIMEOUT_S, LEAVE_S = 0.5, 1.5


class Audit:
    """The chain in a file, and its anchor. Where the chain cannot be written, `record` refuses."""

    def __init__(self, path, key, anchor_url, anchor_every):
        self.path, self.key, self.every = path, key, anchor_every
        self.lock = threading.Lock()
        self.chain, self.broken, self.closed = None, None, False
        self.anchor = Anchor(anchor_url) if anchor_url else None
        try:
            self.open()
        except (OSError, ChainError) as error:
            logs.error_event(error, "audit_unavailable", "CRITICAL")

    def open(self):
        """Take up the chain. A broken one is not written to: somebody has to look at it."""
        if self.broken is not None:
            raise ChainError("broken")
        if self.chain is None:
            try:
                self.chain = AuditChain(self.path, self.key)
            except (ChainError, UnicodeDecodeError) as error:
                self.broken = error
                raise ChainError("broken") from error
        return self.chain

    def record(self, action, interaction, patient_ids):
        """One event. Raises ServiceError (503) if it cannot be written."""
        event = audit_event(action, interaction, patient_ids)
        try:
            with self.lock:
                if self.closed:
                    raise OSError("the service is leaving")
                seq, mac = self.open().append(event)
                if self.anchor and seq % self.every == 0:
                    self.anchor.send(seq, mac)
        except (OSError, ChainError) as error:
            raise ServiceError(503, "audit_unavailable") from error

    def close(self):
        """Nothing is recorded from here on, so that what is anchored is the last line."""
        with self.lock:
            self.closed = True
            head = (self.chain.seq, self.chain.mac) if self.chain else (0, None)
        if self.anchor:
            self.anchor.close(*head)


class Anchor:
    """Sends heads in a thread of its own, so that no request waits; what is not taken is covered by the next."""

    def __init__(self, url):
        self.url, self.heads, self.leaving = url, queue.SimpleQueue(), False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def send(self, seq, mac):
        self.heads.put((seq, mac))

    def close(self, seq, mac):
        self.leaving = True
        if seq:
            self.heads.put((seq, mac))
        self.heads.put(None)
        self.thread.join(LEAVE_S)

    def run(self):
        with httpx.Client(timeout=ANCHOR_TIMEOUT_S, trust_env=False) as client:
            while (head := self.heads.get()) is not None:
                if self.leaving and self.heads.qsize() > 1:
                    continue  # a later head says more, and there is little time
                self.post(client, *head)

    def post(self, client, seq, mac):
        started, status, failed = time.perf_counter(), None, None
        try:
            status = client.post(self.url, json={"seq": seq, "mac": mac}).status_code
        except Exception as error:
            failed = type(error).__name__
        ms = round((time.perf_counter() - started) * 1000, 1)
        level = "INFO" if status is not None and status < 300 else "WARNING"
        logs.event("upstream", level, upstream="anchor", attempt=1, status=status, ms=ms, error_class=failed)


def audit_event(action, interaction, patient_ids):
    """A FHIR R4 AuditEvent of the request in hand."""
    event = {
        "resourceType": "AuditEvent",
        "type": TYPE,
        "subtype": [{"system": INTERACTION, "code": interaction}],
        "action": action,
        "recorded": logs.now(),
        "outcome": "0",
        "agent": [{"who": {"reference": f"Practitioner/{logs.current.get().user or 'unknown'}"}, "requestor": True}],
        "source": {"observer": {"display": "readmission-service"}},
    }
    if patient_ids:
        event["entity"] = [{"what": {"reference": f"Patient/{patient_id}"}} for patient_id in patient_ids]
    return event


def from_environment(path):
    """Reads AUDIT_KEY, ANCHOR_URL, ANCHOR_EVERY."""
    every = max(1, int(os.environ.get("ANCHOR_EVERY") or 10))
    return Audit(path, os.environ["AUDIT_KEY"], os.environ.get("ANCHOR_URL"), every)
