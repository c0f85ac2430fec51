"""The audit log: who accessed whose data, in a chain whose head is sent away."""

import os
import queue
import threading
import time
from datetime import UTC, datetime

import httpx

from .chain import AuditChain, ChainError
from .context import current
from .errors import ServiceError
from .logs import event

TIMEOUT_S = 0.8
REST = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION = "http://hl7.org/fhir/restful-interaction"


class Audit:
    """Appends AuditEvents; sends the head away after every so many, and the last."""

    def __init__(self, path, key, anchor_url):
        self.path, self.key = path, key
        self.every = int(os.environ.get("ANCHOR_EVERY", "20"))
        self.lock = threading.Lock()
        self.chain = None
        self.anchor = Anchor(anchor_url)

    def access(self, interaction, action, patients):
        """Record one access to patients of these ids. Raises ServiceError if it cannot: then give nothing out."""
        try:
            with self.lock:
                # If the file could not be read at the start, it may be mended by now.
                self.chain = self.chain or AuditChain(self.path, self.key)
                seq, mac = self.chain.append(audit_event(interaction, action, patients))
                if seq % self.every == 0:
                    self.anchor.send(seq, mac)
        except (OSError, ValueError, ChainError) as error:
            raise ServiceError(503, "audit_unavailable") from error

    def ready(self):
        """For what cannot be taken back: raises ServiceError if an access could not be recorded now."""
        try:
            with self.path.open("ab"):
                pass
        except OSError as error:
            raise ServiceError(503, "audit_unavailable") from error

    def close(self):
        head = (self.chain.seq, self.chain.mac) if self.chain else (0, None)
        self.anchor.close(*head)


def audit_event(interaction, action, patients):
    """A FHIR R4 AuditEvent of the request in hand."""
    context = current.get()
    given = {
        "resourceType": "AuditEvent",
        "type": {"system": REST, "code": "rest", "display": "RESTful Operation"},
        "subtype": [{"system": INTERACTION, "code": interaction}],
        "action": action,
        "recorded": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "outcome": "0",
        "agent": [{"who": {"reference": f"Practitioner/{context.user}"}, "requestor": True}],
        "source": {"observer": {"reference": "Device/readmission-service"}},
    }
    if context.site:
        given["source"]["site"] = context.site
    if patients:
        given["entity"] = [{"what": {"reference": f"Patient/{id}"}} for id in patients]
    return given


class Anchor:
    """Sends heads of the chain away, in order, in a thread of its own: no request waits for it or fails by it."""

    def __init__(self, url):
        self.client = httpx.Client(timeout=TIMEOUT_S, trust_env=False)
        self.url = url
        self.heads = queue.SimpleQueue()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def send(self, seq, mac):
        self.heads.put((seq, mac))

    def close(self, seq, mac):
        """Send the last head, and wait a moment for it."""
        if seq:
            self.send(seq, mac)
        self.heads.put(None)
        # All at once, when nobody waits for anything.
        self.thread.start()
        self.thread.join(1.2)

    def work(self):
        while head := self.heads.get():
            self.post(*head)

    def post(self, seq, mac):
        started, status, kind = time.perf_counter(), None, None
        try:
            response = self.client.post(self.url, json={"seq": seq, "mac": mac})
            status = response.status_code
            response.raise_for_status()
        # Whatever is wrong with the address or at the other end.
        except Exception as error:
            kind = type(error).__name__
        ms = round((time.perf_counter() - started) * 1000, 1)
        event("upstream", upstream="anchor", status=status, ms=ms, error_class=kind)
