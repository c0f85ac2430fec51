"""The audit log: who had whose data. Its head is sent away, in order, by one worker."""

import contextlib
import os
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
from opentelemetry import baggage
from opentelemetry.trace import SpanKind

from .chain import AuditChain, ChainError
from .problems import Problem, turning
from .telemetry import note, span

TIMEOUT_S, PATIENCE_S = 0.8, 1.8
HL7 = "http://terminology.hl7.org/CodeSystem"


class AuditLog:
    """One line an access. Without it there is none: Problem audit_unavailable."""

    def __init__(self, path, key, anchor_url):
        self.path, self.key, self.anchor_url = path, key, anchor_url
        self.every = int(os.environ.get("ANCHOR_EVERY", "20"))
        self.lock = threading.Lock()
        self.chain = None
        self.client = httpx.Client(timeout=TIMEOUT_S, trust_env=False)
        self.sender = ThreadPoolExecutor(1)

    def record(self, action, what, patients):
        """action: C, R or E.  what: FHIR's word for it.  patients: ids."""
        with turning(OSError, ValueError, ChainError, into="audit_unavailable"), self.lock:
            seq, mac = self.opened().append(audit_event(action, what, patients))
            if seq % self.every == 0:
                self.sender.submit(self.send, seq, mac)

    def must_be_open(self):
        """Ask before doing what cannot be taken back."""
        with turning(OSError, ValueError, ChainError, into="audit_unavailable"), self.lock:
            self.opened()
            with self.path.open("ab"):
                pass

    def opened(self):
        """A log that could not be read at the start may be readable now."""
        self.chain = self.chain or AuditChain(self.path, self.key)
        return self.chain

    def close(self):
        """Send the last head. Older ones that still wait are not needed any more."""
        with contextlib.suppress(Problem):
            self.must_be_open()
        if self.chain and self.chain.seq:
            last = self.sender.submit(self.send, self.chain.seq, self.chain.mac)
            with contextlib.suppress(TimeoutError, CancelledError):
                last.result(PATIENCE_S)
        self.sender.shutdown(wait=False, cancel_futures=True)

    def send(self, seq, mac):
        """Nobody waits for it, and its failure is nobody's."""
        with span("upstream", SpanKind.CLIENT, peer__service="anchor", log__level="DEBUG"):
            try:
                response = self.client.post(self.anchor_url, json={"seq": seq, "mac": mac})
                note(http__response__status_code=response.status_code)
                response.raise_for_status()
            except Exception as error:
                note(error__type=type(error).__name__, log__level="WARNING")


def audit_event(action, what, patients):
    """A FHIR R4 AuditEvent of the request in hand."""
    event = {
        "resourceType": "AuditEvent",
        "type": {"system": f"{HL7}/audit-event-type", "code": "rest", "display": "RESTful Operation"},
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": what}],
        "action": action,
        "recorded": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "outcome": "0",
        "agent": [{"who": {"reference": f"Practitioner/{baggage.get_baggage('user')}"}, "requestor": True}],
        "source": {"observer": {"reference": "Device/readmission-risk"}},
    }
    if site := baggage.get_baggage("site"):
        event["source"]["site"] = site
    if patients:
        event["entity"] = [{"what": {"reference": f"Patient/{one}"}} for one in patients]
    return event
