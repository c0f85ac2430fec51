"""Messages to patients, sent after the request has been answered."""

import asyncio
import threading

from . import metrics


def deliver(patient, message):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    if not message.strip():
        raise ValueError(f"nothing to send to {patient.given} {patient.family} <{patient.email}>")
    metrics.count("messages_total", recipient=patient.email)


async def deliver_later(patient, message):
    deliver(patient, message)


def start(patient, message, how):
    """Deliver as a task of the running loop, or in a thread of its own."""
    if how == "task":
        asyncio.get_running_loop().create_task(deliver_later(patient, message))
    else:
        threading.Thread(target=deliver, args=(patient, message), daemon=True).start()
