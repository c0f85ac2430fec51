"""Who saw whose data: FHIR R4 AuditEvents in a sealed chain, whose head is sent away now and then."""

import queue
import re
import threading
import time
from datetime import UTC, datetime

import httpx

from . import context
from .chain import AuditChain
from .errors import ServiceError
from .logs import event

ACTIONS = {"create": "C", "read": "R", "search-type": "R", "label": "R", "notify": "R", "predict": "E"}
RESTFUL = {"create", "read", "search-type"}
USER = re.compile(r"prac-[0-9]{1,9}")


class Audit:
    def __init__(self, path, key, anchor):
        self.path, self.key, self.anchor = path, key, anchor
        self.chain, self.lock = None, threading.Lock()
        try:
            self.opened()
        except Exception:
            pass  # said with each access that is refused for it; it is tried again then

    def opened(self):
        with self.lock:
            if self.chain is None:
                self.chain = AuditChain(self.path, self.key)
            return self.chain

    def record(self, what, patient_ids):
        """Write that the caller in hand did `what` with these patients' data. Raises ServiceError if that cannot be written."""
        try:
            seq, mac = self.opened().append(audit_event(what, patient_ids, context.now()))
        except Exception as error:
            raise ServiceError(503, "audit_unavailable") from error
        self.anchor.appended(seq, mac)

    def ready(self):
        """Raises ServiceError if nothing could be recorded now."""
        try:
            self.opened()
            with self.path.open("ab"):
                pass
        except Exception as error:
            raise ServiceError(503, "audit_unavailable") from error

    def close(self):
        """Send the head of the chain a last time."""
        self.anchor.close((self.chain.seq, self.chain.mac) if self.chain and self.chain.seq else None)


def audit_event(what, patient_ids, work):
    """A FHIR R4 AuditEvent, as a dict."""
    if what in RESTFUL:
        subtype = {"system": "http://hl7.org/fhir/restful-interaction", "code": what}
    else:
        subtype = {"system": "urn:readmission-service:operation", "code": what}
    user = work.user if work.user and USER.fullmatch(work.user) else "unknown"
    made = {
        "resourceType": "AuditEvent",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "subtype": [subtype],
        "action": ACTIONS[what],
        "recorded": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "outcome": "0",
        "agent": [{"who": {"reference": f"Practitioner/{user}"}, "requestor": True}],
        "source": {"observer": {"display": "readmission service"}},
    }
    if work.site:
        made["source"]["site"] = work.site
    if patient_ids:
        made["entity"] = [{"what": {"reference": f"Patient/{patient_id}"}} for patient_id in patient_ids]
    return made


class Anchor:
    """Sends heads of the chain to where the service cannot change them, from a thread of its own; goes on when nobody answers."""

    def __init__(self, url, every):
        self.url, self.every = url, every
        self.heads, self.closing = queue.Queue(), False
        self.client = httpx.Client(timeout=0.5, trust_env=False)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def appended(self, seq, mac):
        if seq % self.every == 0:
            self.heads.put((seq, mac))

    def close(self, head):
        self.closing = True
        if head:
            self.heads.put(head)
        self.heads.put(None)
        self.thread.join(1.8)

    def run(self):
        while (head := self.heads.get()) is not None:
            if self.closing and self.heads.qsize() > 1:
                continue  # only the last one matters now: there is little time
            self.send(*head)

    def send(self, seq, mac):
        started, status, failure = time.perf_counter(), None, None
        try:
            status = self.client.post(self.url, json={"seq": seq, "mac": mac}).status_code
        except Exception as error:
            failure = type(error).__name__
        ms = round((time.perf_counter() - started) * 1000, 1)
        event("upstream", upstream="anchor", attempt=1, status=status, ms=ms, error_class=failure)
