"""Who took or gave whose data: FHIR R4 AuditEvents in a chain, whose head is sent away."""

import threading
import time
from collections import deque

import httpx

from . import logs
from .chain import AuditChain, ChainError, verify
from .errors import ServiceError

ANCHOR_TIMEOUT_S, LEAVE_S = 0.5, 2.0


class Audit:
    def __init__(self, path, key, anchor, every):
        self.path, self.key, self.anchor, self.every = path, key, anchor, every
        self.lock = threading.Lock()
        self.chain, self.head = None, None
        try:
            self.chain = self.opened()
        except (OSError, ChainError, ValueError) as error:
            logs.console(f"ERROR the audit log cannot be taken up: {type(error).__name__}")

    def opened(self):
        """The chain that is in the file. Raises ChainError also if it lacks what this process has written."""
        if self.head is not None:
            if not self.path.exists():
                raise ChainError("the audit log is gone")
            verify(self.path, self.key, self.head)
        return AuditChain(self.path, self.key)

    def record(self, action, kind, patient_ids):
        """Write one access of the request in hand. Raises ServiceError if it cannot be written."""
        event = audit_event(action, kind, patient_ids)
        with self.lock:
            try:
                if self.chain is None:
                    self.chain = self.opened()
                self.head = seq, mac = self.chain.append(event)
            except (OSError, ChainError, ValueError) as error:
                # Look at the file again the next time: it may have been away.
                self.chain = None
                raise ServiceError(503, "audit_unavailable") from error
            if seq % self.every == 0:
                self.anchor.send(seq, mac)

    def close(self):
        """Send the head away for the last time."""
        with self.lock:
            head = (self.chain.seq, self.chain.mac) if self.chain else self.head
        self.anchor.close(head if head and head[0] else None)


def audit_event(action, kind, patient_ids):
    """An AuditEvent as a dict: ids only."""
    facts = logs.current()
    who = {"reference": f"Practitioner/{facts.user}"} if facts.user else {"display": "unknown"}
    source = {"observer": {"display": "readmission risk service"}}
    if facts.site:
        source["site"] = facts.site
    event = {
        "resourceType": "AuditEvent",
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest",
            "display": "RESTful Operation",
        },
        "subtype": [{"system": "urn:readmission-risk:access", "code": kind}],
        "action": action,
        "recorded": logs.now(),
        "outcome": "0",
        "agent": [{"who": who, "requestor": True}],
        "source": source,
    }
    if patient_ids:
        # FHIR knows no empty lists.
        event["entity"] = [{"what": {"reference": f"Patient/{patient_id}"}} for patient_id in patient_ids]
    return event


class Anchor:
    """Sends heads of the chain in a thread of its own, so that no request waits; one that cannot be sent is logged."""

    def __init__(self, url):
        self.url = url
        self.client = httpx.Client(timeout=ANCHOR_TIMEOUT_S, trust_env=False)
        self.ready = threading.Condition()
        self.heads, self.closing = deque(maxlen=100), False
        self.thread = threading.Thread(target=self.work, name="anchor", daemon=True)
        self.thread.start()

    def send(self, seq, mac):
        with self.ready:
            self.heads.append((seq, mac))
            self.ready.notify()

    def close(self, head):
        """Send `head` in place of all that wait, which it covers, and end; in LEAVE_S at the latest."""
        with self.ready:
            if head is not None:
                self.heads.clear()
                self.heads.append(head)
            self.closing = True
            self.ready.notify()
        self.thread.join(LEAVE_S)

    def work(self):
        while True:
            with self.ready:
                while not self.heads and not self.closing:
                    self.ready.wait()
                if not self.heads:
                    return
                seq, mac = self.heads.popleft()
            self.post(seq, mac)

    def post(self, seq, mac):
        started, status, error_class = time.perf_counter(), None, None
        try:
            status = self.client.post(self.url, json={"seq": seq, "mac": mac}).status_code
        except Exception as error:  # whatever it is, the thread has to live
            error_class = type(error).__name__
        fine = status is not None and status < 400
        logs.event(
            "upstream",
            "DEBUG" if fine else "WARNING",
            upstream="anchor",
            attempt=1,
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 1),
            error_class=error_class,
        )
