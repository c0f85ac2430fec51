"""Messages to patients, sent after the request has been answered."""

import asyncio
import contextvars
import threading

from . import metrics
from .logs import error_event

tasks = set()  # The loop itself does not hold on to them.


def deliver(patient, message):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    if not message.strip():
        raise ValueError("nothing to send")
    metrics.count("messages_total")


def deliver_or_log(patient, message):
    try:
        deliver(patient, message)
    except Exception as error:
        error_event("notify_failed", error)


async def deliver_later(patient, message):
    deliver_or_log(patient, message)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread of its own."""
    if how == "task":
        task = asyncio.get_running_loop().create_task(deliver_later(patient, message))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    else:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(deliver_or_log, patient, message), daemon=True).start()
