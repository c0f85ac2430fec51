"""The audit log: who had whose data; and the heads of its chain, sent away one after the other."""

import asyncio
import os
import threading
import time
from datetime import UTC, datetime

import httpx

from .chain import AuditChain, ChainError
from .records import Called, Code, Failure, Upstream, class_name

TIMEOUT_S, PATIENCE_S = 0.8, 1.8
SYSTEM = "http://terminology.hl7.org/CodeSystem/audit-event-type"


class AuditLog:
    """path: audit.ndjson.  on_head: called with (seq, mac) after every ANCHOR_EVERY events; set when the loop runs."""

    def __init__(self, path):
        self.path, self.key = path, os.environ["AUDIT_KEY"]
        self.every = int(os.environ.get("ANCHOR_EVERY", "20"))
        self.lock = threading.RLock()
        self.chain = None
        self.on_head = None

    def open(self):
        """The chain, ready to be written to. Raises Failure. Ask before doing what cannot be taken back."""
        try:
            # Two that took up the chain at once would part it.
            with self.lock, self.path.open("ab"):
                # What could not be read at the start may be readable by now.
                self.chain = self.chain or AuditChain(self.path, self.key)
                return self.chain
        except (OSError, ValueError, ChainError) as error:
            raise Failure(Code.AUDIT_UNAVAILABLE) from error

    def record(self, visit, action, patients):
        """One access, by its FHIR action. Raises Failure: then nothing is given out."""
        with self.lock:
            try:
                seq, mac = self.open().append(audit_event(visit, action, patients))
            except (OSError, ValueError) as error:
                raise Failure(Code.AUDIT_UNAVAILABLE) from error
            if self.on_head and seq % self.every == 0:
                self.on_head((seq, mac))

    def head(self):
        """(seq, mac) of the last line; None of an empty log, or one that cannot be read."""
        try:
            chain = self.open()
        except Failure:
            return None
        return (chain.seq, chain.mac) if chain.seq else None


def audit_event(visit, action, patients):
    """A FHIR R4 AuditEvent."""
    event = {
        "resourceType": "AuditEvent",
        "type": {"system": SYSTEM, "code": "rest", "display": "RESTful Operation"},
        "action": action,
        "recorded": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "outcome": "0",
        "agent": [{"who": {"reference": f"Practitioner/{visit.user}"}, "requestor": True}],
        "source": {"observer": {"reference": "Device/readmission-service"}},
    }
    if visit.site:
        event["source"]["site"] = visit.site.value
    if patients:
        event["entity"] = [{"what": {"reference": f"Patient/{id}"}} for id in patients]
    return event


async def send_heads(heads, url, tell):
    """Send what comes out of the queue, until it is None. That nobody answers is told, and is nobody's failure."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
        while (head := await heads.get()) is not None:
            started, status, wrong = time.perf_counter(), None, None
            try:
                response = await client.post(url, json={"seq": head[0], "mac": head[1]})
                status = response.status_code
                response.raise_for_status()
            except Exception as error:
                wrong = error
            ms = round((time.perf_counter() - started) * 1000, 1)
            tell(Called(None, Upstream.ANCHOR, 1, status, ms, class_name(wrong)))


async def close(audit, heads, sender):
    """Send the last head, and wait a moment. Of those that still wait it makes the older ones needless."""
    while not heads.empty():
        heads.get_nowait()
    if head := audit.head():
        heads.put_nowait(head)
    heads.put_nowait(None)
    await asyncio.wait([sender], timeout=PATIENCE_S)
