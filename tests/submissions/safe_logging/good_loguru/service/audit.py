"""The audit log: a ledger of accesses for the application, and a clerk for each request who knows who asks."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from loguru import logger

from .chain import AuditChain, ChainError
from .journal import tell

ANCHOR_TIMEOUT_S, PATIENCE_S = 0.8, 1.5
ACTIONS = {"create": "C", "read": "R", "search": "R", "label": "R", "notify": "R", "predict": "E"}
REST = {"create", "read", "search"}  # the others are operations in FHIR's words


class AuditUnavailable(Exception):
    """An access cannot be recorded. Then it must not happen."""


class Ledger:
    """The chain in its file, and its heads on their way to the anchor. Threads share one."""

    def __init__(self, path, key, anchor_url, every):
        self.path, self.key, self.every = path, key, every
        self.lock = threading.Lock()
        self.chain = None
        self.anchor = Anchor(anchor_url)

    def ready(self):
        """Raises AuditUnavailable if nothing could be recorded now."""
        try:
            with self.lock:
                self.open()
                os.close(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640))
        except (OSError, ValueError, ChainError) as error:
            raise AuditUnavailable from error

    def record(self, event):
        """Append one event. Raises AuditUnavailable."""
        try:
            with self.lock:
                seq, mac = self.open().append(event)
                if seq % self.every == 0:
                    self.anchor.send(seq, mac)
        except (OSError, ValueError, ChainError) as error:
            raise AuditUnavailable from error

    def open(self):
        """The chain; read again at each access until it can be."""
        self.chain = self.chain or AuditChain(self.path, self.key)
        return self.chain

    def close(self):
        """Send the last head."""
        with self.lock:
            self.anchor.close((self.chain.seq, self.chain.mac) if self.chain else None)


class Anchor:
    """Takes heads to somebody else's keeping, one after the other, while nobody waits."""

    def __init__(self, url):
        self.url = url
        self.courier = ThreadPoolExecutor(max_workers=1, thread_name_prefix="anchor")

    def send(self, seq, mac):
        return self.courier.submit(self.post, seq, mac)

    def close(self, head):
        """Drop what still waits (the last head vouches for it) and send that one, if there is any."""
        self.courier.shutdown(wait=False, cancel_futures=True)
        if head and head[0]:
            last = threading.Thread(target=self.post, args=head, daemon=True)
            last.start()
            last.join(PATIENCE_S)

    def post(self, seq, mac):
        began, status, failure = time.perf_counter(), None, None
        try:
            response = httpx.post(self.url, json={"seq": seq, "mac": mac}, timeout=ANCHOR_TIMEOUT_S, trust_env=False)
            status = response.status_code
            response.raise_for_status()
        except Exception as error:
            # Whatever it is, it is no request's business.
            failure = type(error).__name__
        ms = round((time.perf_counter() - began) * 1000, 1)
        level = "WARNING" if failure else "DEBUG"
        tell(logger, "upstream", level, upstream="anchor", status=status, ms=ms, error_class=failure)


@dataclass(frozen=True)
class Clerk:
    """Records the accesses of one request (a dependency of the routes)."""

    ledger: Ledger
    user: str
    site: str | None

    def accessed(self, what, *patients):
        """That the user did `what` (of ACTIONS) with data of the patients of these ids. Raises AuditUnavailable."""
        self.ledger.record(self.event(what, patients))

    def event(self, what, patients):
        """A FHIR R4 AuditEvent."""
        event = {
            "resourceType": "AuditEvent",
            "type": {
                "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
                "code": "rest",
                "display": "RESTful Operation",
            },
            "subtype": [
                {
                    "system": "http://hl7.org/fhir/restful-interaction",
                    "code": what if what in REST else "operation",
                }
            ],
            "action": ACTIONS[what],
            "recorded": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "outcome": "0",
            "agent": [{"who": {"reference": f"Practitioner/{self.user}"}, "requestor": True}],
            "source": {"observer": {"reference": "Device/readmission-service"}},
        }
        if self.site:
            event["source"]["site"] = self.site
        if patients:
            event["entity"] = [{"what": {"reference": f"Patient/{patient}"}} for patient in patients]
        return event
