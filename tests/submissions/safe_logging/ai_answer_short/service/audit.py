"""The audit log: who took or gave whose data, sealed by chain.py; its head is sent to the anchor."""

import os
import queue
import threading
import time

import httpx

from . import logs
from .chain import AuditChain, ChainError
from .errors import ServiceError

TIMEOUT_S = 0.4
TYPE = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}


class Audit:
    """Reads AUDIT_KEY, ANCHOR_URL and ANCHOR_EVERY."""

    def __init__(self, path):
        self.path, self.key = path, os.environ["AUDIT_KEY"]
        self.url, self.every = os.environ.get("ANCHOR_URL"), int(os.environ.get("ANCHOR_EVERY", "10"))
        self.lock, self.chain, self.heads = threading.Lock(), None, queue.Queue()
        self.sender = threading.Thread(target=self.send_all, daemon=True)
        self.sender.start()
        try:
            self.open()
        except (OSError, ChainError) as error:
            logs.error("audit_unavailable", error)

    def open(self):
        with self.lock:
            if self.chain is None:
                self.chain = AuditChain(self.path, self.key)
            return self.chain

    def record(self, action, ids):
        """Write that the caller of the request in hand did this. Raises ServiceError if it cannot be written."""
        event = {
            "resourceType": "AuditEvent",
            "type": TYPE,
            "action": action,
            "recorded": logs.now(),
            "outcome": "0",
            "agent": [{"who": {"reference": f"Practitioner/{logs.current.get()['user']}"}, "requestor": True}],
            "source": {"observer": {"display": "readmission risk"}},
        }
        if ids:
            event["entity"] = [{"what": {"reference": f"Patient/{patient_id}"}} for patient_id in ids]
        try:
            head = self.open().append(event)
        except (OSError, ChainError) as error:
            raise ServiceError(503, "audit_unavailable") from error
        if head[0] % self.every == 0:
            self.heads.put(head)

    def send_all(self):
        while (head := self.heads.get()) is not None:
            self.send(head)

    def send(self, head):
        if not self.url:
            return
        started, status, error_class = time.perf_counter(), None, None
        try:
            body = {"seq": head[0], "mac": head[1]}
            status = httpx.post(self.url, json=body, timeout=TIMEOUT_S, trust_env=False).status_code
        except Exception as error:
            error_class = type(error).__name__
        ms = round((time.perf_counter() - started) * 1000, 1)
        logs.event("upstream", upstream="anchor", attempt=1, status=status, ms=ms, error_class=error_class)

    def close(self):
        """Send the head of the chain; takes two seconds at most."""
        head = (self.chain.seq, self.chain.mac) if self.chain and self.chain.seq else None
        if head:
            self.heads.put(head)
        self.heads.put(None)
        self.sender.join(1.2)
        if head and self.sender.is_alive():
            self.send(head)
