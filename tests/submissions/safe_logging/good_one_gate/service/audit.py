"""The audit log: who took, saw or used whose data. Written before the data are given; without it none are."""

import os
import queue
import re
import threading
import time
from datetime import UTC, datetime

import httpx

from . import logs
from .chain import AuditChain, ChainError
from .errors import ServiceError

PRACTITIONER = re.compile(r"prac-[0-9]{1,9}")
TYPE = {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest", "display": "RESTful Operation"}
ANCHOR_TIMEOUT_S, CLOSE_S, LONGEST_QUEUE = 0.5, 1.2, 100


class Audit:
    """Events into the chain in the file; its head to the anchor."""

    def __init__(self, path, key, anchor):
        self.path, self.key, self.anchor = path, key, anchor
        self.chain, self.closed, self.lock = None, False, threading.Lock()
        try:
            self.opened()
        except (OSError, ValueError, ChainError) as error:
            logs.error_event("audit_unavailable", error, level="CRITICAL")

    def opened(self):
        """The chain; tried again as long as it could not be opened."""
        with self.lock:
            if self.chain is None:
                self.chain = AuditChain(self.path, self.key)
            return self.chain

    def ready(self):
        """Raises ServiceError audit_unavailable if an event could not be written now. For what is recorded once it has
        worked, but lets data out on the way there (to the laboratory, the printer)."""
        try:
            if self.closed:
                raise OSError("the service is leaving")
            self.opened()
            with self.path.open("ab"):
                pass
        except (OSError, ValueError, ChainError) as error:
            raise ServiceError(503, "audit_unavailable") from error

    def record(self, action, *patient_ids):
        """One event about these patients. Raises ServiceError audit_unavailable: then give and take nothing."""
        try:
            if self.closed:
                raise OSError("the service is leaving")
            seq, mac = self.opened().append(audit_event(action, patient_ids))
        except (OSError, ValueError, ChainError) as error:
            raise ServiceError(503, "audit_unavailable") from error
        self.anchor.offer(seq, mac)

    def close(self):
        self.closed = True
        if self.chain is not None:
            with self.chain.lock:
                seq, mac = self.chain.seq, self.chain.mac
            self.anchor.close(seq, mac)


def audit_event(action, patient_ids):
    """A FHIR R4 AuditEvent. Of the request it holds the user's id and the site, if they have the form of one."""
    about = logs.context()
    known = about.user is not None and PRACTITIONER.fullmatch(about.user)
    who = {"reference": f"Practitioner/{about.user}"} if known else {"display": "unknown"}
    site = {"site": about.site} if about.site else {}
    # FHIR has no empty lists: a search that found nobody has no entity.
    found = {"entity": [{"what": {"reference": f"Patient/{each}"}} for each in patient_ids]} if patient_ids else {}
    return {
        "resourceType": "AuditEvent",
        "type": TYPE,
        "action": action,
        "recorded": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "outcome": "0",
        "agent": [{"who": who, "requestor": True}],
        "source": {**site, "observer": {"display": "readmission service"}},
        **found,
    }


class Anchor:
    """Sends heads of the chain from a thread of its own: no request waits for it."""

    def __init__(self, url, every):
        self.url, self.every, self.heads, self.failing = url, every, queue.Queue(), False
        self.client = httpx.Client(timeout=ANCHOR_TIMEOUT_S, trust_env=False)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def offer(self, seq, mac):
        if seq % self.every == 0 and self.heads.qsize() < LONGEST_QUEUE:
            self.heads.put((seq, mac))

    def close(self, seq, mac):
        """Send the last head, whatever else was waiting, and end."""
        if self.failing:
            while not self.heads.empty():
                self.heads.get_nowait()
        if seq:
            self.heads.put((seq, mac))
        self.heads.put(None)
        self.thread.join(CLOSE_S)

    def run(self):
        while (head := self.heads.get()) is not None:
            started, status, name = time.perf_counter(), None, None
            try:
                status = self.client.post(self.url, json={"seq": head[0], "mac": head[1]}).status_code
            except Exception as error:
                name = type(error).__name__
            self.failing = name is not None
            ms = round((time.perf_counter() - started) * 1000, 1)
            level = "INFO" if status is not None and status < 400 else "WARNING"
            logs.event("upstream", level, upstream="anchor", attempt=1, status=status, ms=ms, error_class=name)


def from_environment(path):
    anchor = Anchor(os.environ["ANCHOR_URL"], max(1, int(os.environ.get("ANCHOR_EVERY", "10"))))
    return Audit(path, os.environ["AUDIT_KEY"], anchor)
