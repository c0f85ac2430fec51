"""Services that a server under test talks to, played by the sandbox: scripted answers, and a record of what was asked.

Standard library only; runs inside the sandbox beside inside.py.
"""

from __future__ import annotations

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MOST_CALLS, MOST_BODY, MOST_NOTED, MOST_AT_ONCE = 20_000, 2**16, 2**25, 64


class Peer:
    """One service on a port of its own.

    rules: dicts {path: regular expression of the whole path, replies: [{status, body?, delay_s?}, …]}; the n-th
    request that matches a rule gets its n-th reply, later ones the last. What no rule matches gets 404.
    """

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.noted = 0
        self.script([])
        self.server = Server(("127.0.0.1", 0), handler(self))
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def script(self, rules: list[dict[str, Any]]) -> None:
        """Follow these rules from now on."""
        self.rules = [(re.compile(rule["path"]), rule["replies"]) for rule in rules]
        self.seen = [0] * len(rules)

    def answer(self, method: str, path: str, body: str) -> dict[str, Any]:
        """Take note of a request, and what to reply."""
        self.noted += len(path) + len(body)
        if len(self.calls) < MOST_CALLS and self.noted < MOST_NOTED:
            self.calls.append({"method": method, "path": path, "body": body})
        for number, (pattern, replies) in enumerate(self.rules):
            if pattern.fullmatch(path):
                turn, self.seen[number] = self.seen[number], self.seen[number] + 1
                return dict(replies[min(turn, len(replies) - 1)])
        return {"status": 404}


class Server(ThreadingHTTPServer):
    """Threads that do not outlive it; many may knock at once."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], answer: type[BaseHTTPRequestHandler]) -> None:
        # Each is a thread and a file of PID 1's, which no limit of the submission's covers.
        self.slots = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(address, answer)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread, while there are not too many."""
        if self.slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Then the place is free again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has hung up: nothing to say."""


def handler(peer: Peer) -> type[BaseHTTPRequestHandler]:
    """A request handler that asks the peer."""

    class Handler(BaseHTTPRequestHandler):
        # Of silence, after which whoever asked is hung up on.
        timeout = 10.0

        def handle_any(self) -> None:
            try:
                size = min(int(self.headers.get("Content-Length") or 0), MOST_BODY)
            except ValueError:
                size = 0
            body = self.rfile.read(size).decode("utf-8", "replace") if size > 0 else ""
            reply = peer.answer(self.command, self.path, body)
            time.sleep(reply.get("delay_s", 0))
            text = str(reply.get("body", "")).encode()
            self.send_response(reply["status"])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_HEAD = handle_any  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: Any) -> None:
            """Standard error is not ours."""

    return Handler
