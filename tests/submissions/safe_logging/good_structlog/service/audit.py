"""The audit log: each access a sealed line, and heads of the chain sent away by a task of their own."""

import asyncio
import contextlib
import threading
import time
from datetime import UTC, datetime

import httpx
from structlog.contextvars import clear_contextvars, get_contextvars

from .chain import AuditChain, ChainError
from .failures import refusing
from .telemetry import log

ANCHOR_TIMEOUT_S, LAST_ANCHOR_S = 0.8, 1.5
TYPE = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "code": "rest",
    "display": "RESTful Operation",
}
INTERACTIONS = "http://hl7.org/fhir/restful-interaction"

# The file may not be there, not be writable, full, or not be a chain; none of these is the caller's business.
unavailable = (OSError, ValueError, ChainError)


class Trail:
    """Who accessed whose data. Any thread may record an access; who it is, is bound."""

    def __init__(self, path, key, anchor_url, every):
        self.path, self.key, self.anchor_url, self.every = path, key, anchor_url, every
        self.chain = None
        self.lock = threading.Lock()
        self.heads = asyncio.Queue()
        self.loop = None

    def check(self):
        """Raises Refusal if an access could not be recorded now."""
        with refusing(*unavailable, status=503, code="audit_unavailable"), self.lock:
            self.opened()
            with self.path.open("ab"):
                pass

    def access(self, interaction, action, ids):
        """Record an access to the data of these patients. Raises Refusal if it cannot: give nothing out then."""
        entry = audit_event(interaction, action, ids)
        with refusing(*unavailable, status=503, code="audit_unavailable"), self.lock:
            seq, mac = self.opened().append(entry)
            if seq % self.every == 0:
                self.loop.call_soon_threadsafe(self.heads.put_nowait, (seq, mac))

    def opened(self):
        """The chain in the file; tried again as long as it cannot be read."""
        if self.chain is None:
            self.chain = AuditChain(self.path, self.key)
        return self.chain

    @contextlib.asynccontextmanager
    async def anchored(self):
        """Heads are sent while inside; the last one on leaving."""
        self.loop = asyncio.get_running_loop()
        sender = asyncio.create_task(self.send_heads())
        try:
            yield
        finally:
            if self.chain is not None and self.chain.seq:
                self.heads.put_nowait((self.chain.seq, self.chain.mac))
            self.heads.put_nowait(None)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(sender, LAST_ANCHOR_S)

    async def send_heads(self):
        clear_contextvars()
        async with httpx.AsyncClient(timeout=ANCHOR_TIMEOUT_S, trust_env=False) as client:
            while head := await self.heads.get():
                await self.send(client, *head)

    async def send(self, client, seq, mac):
        began, status, failure = time.perf_counter(), None, None
        try:
            response = await client.post(self.anchor_url, json={"seq": seq, "mac": mac})
            status = response.status_code
            response.raise_for_status()
        except Exception as error:
            # Nobody waits for the answer, and the next head vouches for this one as well.
            failure = type(error).__name__
        say = log.warning if failure else log.info
        say("upstream", upstream="anchor", status=status, error_class=failure, ms=passed(began))


def audit_event(interaction, action, ids):
    """A FHIR R4 AuditEvent: the user in hand accessed these patients."""
    bound = get_contextvars()
    entry = {
        "resourceType": "AuditEvent",
        "type": TYPE,
        "subtype": [{"system": INTERACTIONS, "code": interaction}],
        "action": action,
        "recorded": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "outcome": "0",
        "agent": [{"who": {"reference": f"Practitioner/{bound.get('user', 'unknown')}"}, "requestor": True}],
        "source": {"observer": {"reference": f"Device/{bound.get('site', 'readmission-service')}"}},
    }
    if ids:
        entry["entity"] = [{"what": {"reference": f"Patient/{one}"}} for one in ids]
    return entry


def passed(began):
    """Milliseconds since."""
    return round((time.perf_counter() - began) * 1000, 1)
