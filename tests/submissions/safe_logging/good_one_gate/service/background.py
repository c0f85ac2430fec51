"""Messages to patients, sent after the request has been answered."""

import asyncio
import contextvars
import threading

from . import logs, metrics

tasks = set()  # the loop itself keeps no hold of them


def deliver(patient, message, how):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    if not message.strip():
        raise ValueError("nothing to send")
    metrics.count("messages_total", how=how)


def deliver_or_log(patient, message, how):
    try:
        deliver(patient, message, how)
    except Exception as error:
        logs.error_event(error, "notify_failed")


async def deliver_later(patient, message, how):
    deliver_or_log(patient, message, how)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread of its own; both know the request."""
    if how == "task":
        task = asyncio.get_running_loop().create_task(deliver_later(patient, message, how))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    else:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(deliver_or_log, patient, message, how), daemon=True).start()
