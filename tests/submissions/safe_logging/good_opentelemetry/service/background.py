"""Messages to patients, sent after the request has been answered, in a span of their own."""

import asyncio
import threading

from . import metrics
from .telemetry import failed, here, span

# The loop itself holds its tasks only weakly.
tasks = set()


def deliver(within, patient, message, how):
    """Hand the message to the gateway. (The gateway is not part of this service.) within: context of the request."""
    with span("notify", within=within):
        try:
            if not message.strip():
                raise ValueError("empty message")
            metrics.messages.add(1, {"how": how})
        except Exception as error:
            failed("notify_failed", error)


async def deliver_later(*told):
    deliver(*told)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread of its own."""
    told = (here(), patient, message, how)
    if how == "task":
        task = asyncio.get_running_loop().create_task(deliver_later(*told))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    else:
        threading.Thread(target=deliver, args=told, daemon=True).start()
