"""Messages to patients, sent after the request has been answered."""

import asyncio
import contextvars
import threading

from . import logs, metrics

tasks = set()


def deliver(patient, message):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    if not message.strip():
        raise ValueError("nothing to send")
    metrics.count("messages_total")


def deliver_or_log(patient, message):
    try:
        deliver(patient, message)
    except Exception as error:
        logs.error_event("notify_failed", error)


async def deliver_later(patient, message):
    deliver_or_log(patient, message)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread of its own; either knows its request."""
    if how == "task":
        task = asyncio.get_running_loop().create_task(deliver_later(patient, message))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    else:
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(deliver_or_log, patient, message), daemon=True).start()
