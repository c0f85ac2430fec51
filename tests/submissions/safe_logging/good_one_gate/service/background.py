"""Messages to patients, sent after the request has been answered; what fails is logged as the request's."""

import asyncio
import contextvars
import threading
import time

from . import logs, metrics

# Tasks and threads under way: asyncio keeps no hold of tasks, and the service waits for them a little before it leaves.
tasks, threads = set(), set()


def deliver(patient, message):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    if not message.strip():
        raise ValueError("nothing to send")
    metrics.count("messages_total")


def deliver_safely(patient, message):
    """In the request's context."""
    try:
        deliver(patient, message)
    except Exception as error:
        metrics.count("messages_failed_total")
        logs.error_event("notify_failed", error)


async def deliver_later(patient, message):
    deliver_safely(patient, message)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread of its own."""
    if how == "task":
        task = asyncio.get_running_loop().create_task(deliver_later(patient, message), name="notify")
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return
    # A task takes the context along by itself, a thread does not.
    run = contextvars.copy_context().run

    def work():
        try:
            run(deliver_safely, patient, message)
        finally:
            threads.discard(thread)

    thread = threading.Thread(target=work, name="notify", daemon=True)
    threads.add(thread)
    thread.start()


async def finish(seconds):
    """Wait so long, at most, for what is under way."""
    end = time.monotonic() + seconds
    if tasks:
        await asyncio.wait(set(tasks), timeout=seconds)
    for thread in list(threads):
        await asyncio.to_thread(thread.join, max(0, end - time.monotonic()))
