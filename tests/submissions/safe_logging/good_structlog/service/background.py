"""Messages to patients, sent after the request has been answered."""

import asyncio

from . import metrics
from .telemetry import log

# The loop itself would let a task be collected before it is done.
under_way = set()


def deliver(patient, message, how):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    try:
        if not message.strip():
            raise ValueError
        metrics.count("messages_total", how=how)
    except Exception as error:
        # The end of the road: whatever leaves here is nobody's exception any more.
        log.error("error", error_code="notify_failed", exc_info=error)


async def deliver_here(patient, message, how):
    deliver(patient, message, how)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread. Both get a copy of what is bound: id, site, reference."""
    work = deliver_here if how == "task" else threaded
    task = asyncio.get_running_loop().create_task(work(patient, message, how))
    under_way.add(task)
    task.add_done_callback(under_way.discard)


async def threaded(*given):
    await asyncio.to_thread(deliver, *given)
