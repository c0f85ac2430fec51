"""The audit log: a FHIR R4 AuditEvent for each time that patient data were taken or given, in a chain."""

import queue
import threading
import time

import httpx

from . import logs
from .chain import AuditChain, ChainError
from .errors import ServiceError

TIMEOUT_S = 0.5
TYPE = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}


class Audit:
    def __init__(self, path, key, anchor_url, every):
        self.path, self.key, self.url, self.every = path, key, anchor_url, every
        self.chain, self.lock = None, threading.Lock()
        self.client = httpx.Client(timeout=TIMEOUT_S, trust_env=False)
        self.heads, self.closing = queue.Queue(), False
        self.sender = threading.Thread(target=self.send_heads, daemon=True)
        self.sender.start()
        try:
            self.opened()
        except (OSError, ChainError) as error:
            logs.error_event("audit_unavailable", error)

    def opened(self):
        with self.lock:
            if self.chain is None:
                self.chain = AuditChain(self.path, self.key)
            return self.chain

    def record(self, action, interaction, patient_ids):
        """Write one event about these patients. Raises ServiceError: then nothing must be taken or given."""
        known = logs.current.get()
        entry = {
            "resourceType": "AuditEvent",
            "type": TYPE,
            "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": interaction}],
            "action": action,
            "recorded": logs.now(),
            "outcome": "0",
            "agent": [{"who": {"reference": f"Practitioner/{known['user']}"}, "requestor": True}],
            "source": {"observer": {"display": "readmission service"}},
            "entity": [{"what": {"reference": f"Patient/{id_}"}} for id_ in patient_ids],
        }
        try:
            seq, mac = self.opened().append(entry)
        except (OSError, ChainError) as error:
            raise ServiceError(503, "audit_unavailable") from error
        if seq % self.every == 0:
            self.heads.put((seq, mac))

    def send_heads(self):
        while (head := self.heads.get()) is not None:
            if self.closing and self.heads.qsize() > 1:
                continue  # a later one is waiting, and time is short
            started, status, error_class = time.perf_counter(), None, None
            try:
                status = self.client.post(self.url, json={"seq": head[0], "mac": head[1]}).status_code
            except Exception as error:
                error_class = type(error).__name__
            ms = round((time.perf_counter() - started) * 1000, 1)
            logs.event("upstream", upstream="anchor", attempt=1, status=status, ms=ms, error_class=error_class)

    def close(self):
        """Send the head of the chain once more."""
        self.closing = True
        if self.chain is not None and self.chain.seq:
            self.heads.put((self.chain.seq, self.chain.mac))
        self.heads.put(None)
        self.sender.join(2 * TIMEOUT_S + 0.5)
