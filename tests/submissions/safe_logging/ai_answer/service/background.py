"""Messages to patients, sent after the request has been answered."""

import asyncio
import contextvars
import threading

from . import logs, metrics

# The loop itself keeps only weak references to its tasks.
tasks = set()


def deliver(patient, message):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    if not message.strip():
        raise ValueError("nothing to send")
    metrics.count("messages_total", outcome="sent")


def attempt(patient, message):
    """Deliver; a failure is the request's, though it has been answered, and is logged with its id."""
    try:
        deliver(patient, message)
    except Exception as error:
        metrics.count("messages_total", outcome="failed")
        logs.error("notify_failed", error)


async def attempt_later(patient, message):
    attempt(patient, message)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread of its own; either knows the request it runs for."""
    if how == "task":
        task = asyncio.get_running_loop().create_task(attempt_later(patient, message))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    else:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(attempt, patient, message), daemon=True).start()
