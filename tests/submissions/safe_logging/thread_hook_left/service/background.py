"""Messages to patients, sent after the request has been answered."""

import asyncio
import contextvars
import threading

from . import logs, metrics

# The loop keeps only weak references to tasks.
running = set()


def deliver(patient, message, how):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    if not message.strip():
        raise ValueError(f"nothing to send to {patient.given} {patient.family}")
    metrics.count("messages_total", how=how)


async def deliver_later(patient, message, how):
    try:
        deliver(patient, message, how)
    except Exception as error:
        logs.error("notify_failed", error)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread; both know the request that they come from."""
    if how == "task":
        task = asyncio.get_running_loop().create_task(deliver_later(patient, message, how))
        running.add(task)
        task.add_done_callback(running.discard)
    else:
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(deliver, patient, message, how), daemon=True).start()
