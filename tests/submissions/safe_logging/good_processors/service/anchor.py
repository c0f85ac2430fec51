"""Sends the head of the audit log to a house that keeps it, from a thread of its own: no request waits for it."""

import queue
import threading
import time

import httpx

from .logs import log

TIMEOUT_S, PATIENCE_S = 0.5, 1.5


class Anchor:
    def __init__(self, url):
        self.url, self.heads = url, queue.SimpleQueue()
        self.client = httpx.Client(timeout=TIMEOUT_S, trust_env=False)
        self.thread = threading.Thread(target=self.run, daemon=True, name="anchor")
        self.thread.start()

    def send(self, seq, mac):
        self.heads.put((seq, mac))

    def close(self):
        """Send what is waiting; give up after PATIENCE_S."""
        self.heads.put(None)
        self.thread.join(PATIENCE_S)

    def run(self):
        while (head := self.heads.get()) is not None:
            # The newest vouches for all before it: if nobody answered for a while, the others need not be sent.
            closing = False
            while not self.heads.empty():
                later = self.heads.get()
                if later is None:
                    closing = True
                    break
                head = later
            self.post(*head)
            if closing:
                return

    def post(self, seq, mac):
        started, status, error_class = time.perf_counter(), None, None
        try:
            status = self.client.post(self.url, json={"seq": seq, "mac": mac}).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            error_class = type(error).__name__
        ms = round((time.perf_counter() - started) * 1000, 1)
        log.info("upstream", upstream="anchor", attempt=1, status=status, ms=ms, error_class=error_class)
