"""Messages to patients, sent after the request has been answered."""

import asyncio
import contextvars
import threading

from . import metrics
from .logs import error_event

tasks = set()  # the loop itself holds tasks weakly


def deliver(patient, message):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    if not message.strip():
        raise ValueError("nothing to send")
    metrics.count("messages_total")


def deliver_logged(patient, message):
    """What fails here is still the request's: the context is its own."""
    try:
        deliver(patient, message)
    except Exception as error:
        error_event(error, "notify_failed")


async def deliver_later(patient, message):
    deliver_logged(patient, message)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread of its own."""
    if how == "task":
        task = asyncio.get_running_loop().create_task(deliver_later(patient, message))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    else:
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(deliver_logged, patient, message), daemon=True).start()
