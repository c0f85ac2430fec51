"""Messages to patients, sent after the request has been answered."""

import asyncio
import threading

from . import metrics
from .blame import log_error
from .context import carrying

running = set()  # the loop holds its tasks only weakly


def deliver(patient, message):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    if not message.strip():
        raise ValueError("nothing to send")
    metrics.count("messages_total")


def deliver_or_log(patient, message):
    try:
        deliver(patient, message)
    except Exception as error:  # noqa: BLE001 - nobody else is there to hear of it
        log_error("notify_failed", error)


async def deliver_later(patient, message):
    deliver_or_log(patient, message)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread of its own."""
    if how == "task":
        task = asyncio.get_running_loop().create_task(deliver_later(patient, message))
        running.add(task)
        task.add_done_callback(running.discard)
    else:
        threading.Thread(target=carrying(deliver_or_log), args=(patient, message), daemon=True).start()
