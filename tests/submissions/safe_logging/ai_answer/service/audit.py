"""Who took or gave whose data: FHIR R4 AuditEvents in a chain, whose head is sent away."""

import queue
import threading
import time
from datetime import UTC, datetime

import httpx

from . import logs
from .chain import AuditChain, ChainError
from .errors import ServiceError

ANCHOR_TIMEOUT_S, LAST_WORD_S = 0.3, 1.2


class Audit:
    """The audit log. Without it, no data: `record` before they are given or kept."""

    def __init__(self, path, key, anchor, every):
        self.path, self.key, self.anchor, self.every = path, key, anchor, max(1, every)
        self.lock, self.chain, self.closed = threading.Lock(), None, False
        try:
            with self.lock:
                self.opened()
        except (OSError, ChainError, ValueError) as error:
            # Tried again at each access; until then they answer 503.
            logs.failure("audit_unavailable", error)

    def opened(self):
        """The chain; under the lock. Raises OSError, ChainError, ValueError."""
        if self.closed:
            raise OSError("the audit log is closed")
        if self.chain is None:
            self.chain = AuditChain(self.path, self.key)
        if self.chain.seq and not self.path.exists():
            # To go on in a new file would break the chain for good.
            raise FileNotFoundError("the audit log is gone")
        return self.chain

    def record(self, action, interaction, patient_ids):
        """Write one event about these patients. Raises ServiceError (503)."""
        trace = logs.trace.get()
        event = audit_event(action, interaction, trace.user if trace else "unknown", patient_ids)
        try:
            with self.lock:
                seq, mac = self.opened().append(event)
                if seq % self.every == 0:
                    self.anchor.send(seq, mac)
        except (OSError, ChainError, ValueError) as error:
            raise ServiceError(503, "audit_unavailable") from error

    def close(self):
        """No more events; the head is sent a last time."""
        with self.lock:
            self.closed = True
            head = (self.chain.seq, self.chain.mac) if self.chain and self.chain.seq else None
        self.anchor.close(head)


class Anchor:
    """Sends the chain's head away from a thread of its own, so that nobody waits for it."""

    def __init__(self, url):
        self.url, self.heads = url, queue.Queue()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def send(self, seq, mac):
        self.heads.put((seq, mac))

    def work(self):
        while (head := self.heads.get()) is not None:
            self.post(head)

    def post(self, head):
        if not self.url:
            return
        started, status, error_class = time.perf_counter(), None, None
        try:
            body = {"seq": head[0], "mac": head[1]}
            status = httpx.post(self.url, json=body, timeout=ANCHOR_TIMEOUT_S, trust_env=False).status_code
        except Exception as error:
            error_class = type(error).__name__
        ms = round((time.perf_counter() - started) * 1000, 1)
        level = "INFO" if error_class is None else "WARNING"
        logs.event("upstream", level, upstream="anchor", attempt=1, status=status, ms=ms, error_class=error_class)

    def close(self, head):
        if head is not None:
            self.heads.put(head)
        self.heads.put(None)
        self.thread.join(LAST_WORD_S)
        if self.thread.is_alive() and head is not None:
            self.post(head)


def audit_event(action, interaction, user, patient_ids):
    """A FHIR R4 AuditEvent (dict): ids of who and whose, and nothing else of them."""
    return {
        "resourceType": "AuditEvent",
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest",
            "display": "RESTful Operation",
        },
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": interaction}],
        "action": action,
        "recorded": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "outcome": "0",
        "agent": [{"who": {"reference": f"Practitioner/{user}"}, "requestor": True}],
        "source": {"observer": {"display": "readmission risk service"}},
        "entity": [{"what": {"reference": f"Patient/{patient_id}"}} for patient_id in patient_ids],
    }
