"""Messages to patients, sent after the request has been answered."""

import asyncio
import contextvars
import threading

from . import logs, metrics

# The loop itself keeps no hold of its tasks.
running = set()


def deliver(patient, message):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    if not message.strip():
        raise ValueError("nothing to send")
    metrics.count("messages_total")


def deliver_or_log(patient, message):
    """What fails here is still the request's."""
    try:
        deliver(patient, message)
    except Exception as error:
        logs.failure("notify_failed", error)


async def deliver_later(patient, message):
    deliver_or_log(patient, message)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread of its own; both know the request's id."""
    if how == "task":
        task = asyncio.get_running_loop().create_task(deliver_later(patient, message))
        running.add(task)
        task.add_done_callback(running.discard)
    else:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(deliver_or_log, patient, message), daemon=True).start()
