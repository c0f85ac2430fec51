"""Messages to patients, sent after the request has been answered, and still inside its Visit.

They are background tasks of the response: what goes wrong comes out where the middleware sees it, and knows the id.
"""

from starlette.background import BackgroundTask

from . import metrics
from .records import Code, Failure


def deliver(message, how):
    """Hand the message to the gateway. (The gateway is not part of this service.)"""
    try:
        if not message.strip():
            raise ValueError("empty message")
        metrics.count("messages_total", how=how)
    except Exception as error:
        raise Failure(Code.NOTIFY_FAILED) from error


async def deliver_in_loop(message, how):
    deliver(message, how)


def delivery(message, how):
    """The work to do later: in the loop, or in a thread."""
    return BackgroundTask(deliver_in_loop if how == "task" else deliver, message, how)
