"""Messages to patients, sent after the request has been answered."""

import asyncio
import threading

from . import metrics

# A task that nobody holds may be collected before it is done.
pending = set()


def deliver(message, how):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    if not message.strip():
        raise ValueError("empty message")
    metrics.count("messages_total", how=how)


def start(patient, message, how, log):
    """Deliver as a task of the running loop, or in a thread. log: of the request; failures are logged there."""
    guarded = log.bind(event="error", error_code="notify_failed").catch(Exception)(deliver)

    async def later():
        guarded(message, how)

    if how == "task":
        task = asyncio.get_running_loop().create_task(later())
        pending.add(task)
        task.add_done_callback(pending.discard)
    else:
        threading.Thread(target=guarded, args=(message, how), daemon=True).start()
