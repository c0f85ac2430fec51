"""Server steps in the sandbox: starts the submission as a server on a port of its own and sends it requests.

Standard library only; lies in the sandbox beside inside.py, whose Room it serves.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import itertools
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from graders.harness.confinement import Network
    from graders.harness.peers import Peer
else:  # in the sandbox these files lie side by side, and there is no kit
    from confinement import Network
    from peers import Peer

if TYPE_CHECKING:
    from graders.harness.inside import Room


MOST_ANSWER, MOST_HEADERS = 4 * 2**20, 2**20


class Serving:
    """The server of a room and the services it talks to, which outlive its restarts."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.port = 0
        self.peers: dict[str, Peer] = {}

    def step(self, frame: dict[str, Any], deadline: float) -> tuple[str, Any]:
        """Do what a frame asks of a server."""
        if frame["op"] == "http":
            return self.http(frame, deadline)
        if frame["op"] == "peers":
            return "ok", {name: list(peer.calls) for name, peer in self.peers.items()}
        return self.start(frame, deadline)

    def start(self, frame: dict[str, Any], deadline: float) -> tuple[str, Any]:
        """Start the server (again) and wait until it takes connections."""
        self.room.stop(frame["grace_s"])
        self.room.fresh_folders(frame["keep_out"])
        if not frame["keep_out"]:
            self.room.printed.clear()
        for name, rules in frame["peers"].items():
            self.peers.setdefault(name, Peer()).script(rules)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        words = {"@port": str(self.port)} | {name: str(path) for name, path in self.room.folders.items()}
        arguments = [words.get(str(a), str(a)) for a in frame["args"]]
        command = [self.room.config["python"], "-s", "-m", self.room.config["target"], *arguments]
        addresses = {name: peer.address for name, peer in self.peers.items()}
        # All the TCP that it needs: in tier B nothing else is let through.
        ports = [int(address.rpartition(":")[2]) for address in addresses.values()]
        network = Network(addresses, [self.port], [*ports, self.port])
        self.room.start(command, (), self.room.config["submission"], frame["env"], network)
        process = self.room.process
        assert process is not None  # noqa: S101 - started above
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return "ok", None
            if process.poll() is not None:
                status, why = self.room.obituary()
                return status, {"why": why.replace("answered", "took connections")}
            if found := self.room.trouble(deadline):
                return found[0], {"why": found[1].format(limit=frame["limit_s"])}
            time.sleep(0.01)

    def http(self, frame: dict[str, Any], deadline: float) -> tuple[str, Any]:
        """Send the requests; the value is a list of {status, headers, body} or {error}, in their order.

        One after another, but those of one "group" that follow each other at once. In threads, so that what the server
        prints is read meanwhile: with a full pipe it would stop.
        """
        requests: list[dict[str, Any]] = frame["requests"]
        answers: list[dict[str, Any]] = [{} for _ in requests]

        def send(number: int) -> None:
            answers[number] = self.asked(requests[number], deadline)

        for _, members in itertools.groupby(range(len(requests)), lambda n: requests[n].get("group", -1 - n)):
            threads = [threading.Thread(target=send, args=(n,), daemon=True) for n in members]
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(self.room.watch_s)
                    if found := self.room.trouble(deadline):
                        return found[0], {"why": found[1].format(limit=frame["limit_s"])}
            # The answers of a step are held here and by the grader.
            most = self.room.limits["out_mb"]
            if sum(map(size_of, answers)) > most * 2**20:
                return "refused", {"why": f"answered with more than {most} MB"}
        return "ok", answers

    def asked(self, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        """One request and its answer. body64: bytes that are no text.  hang_up_s: when to leave without an answer."""
        left = max(0.05, min(10.0, deadline - time.monotonic()))
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=left)
        try:
            body = request.get("body")
            data = base64.b64decode(request["body64"]) if "body64" in request else body
            headers = request.get("headers") or {}
            link.request(request["method"], request["path"], data.encode() if isinstance(data, str) else data, headers)
            if "hang_up_s" in request:
                time.sleep(request["hang_up_s"])
                return {"error": "hung up"}
            # A body in chunks may claim any length, a negative one too: no more is taken from the socket.
            link.sock = Capped(link.sock, MOST_ANSWER + MOST_HEADERS)
            answer = link.getresponse()
            text = answer.read(MOST_ANSWER).decode("utf-8", "replace")
            # Without the clock: the same server gives the same outcome.
            headers = {name: value for name, value in answer.getheaders() if name.lower() != "date"}
            return {"status": answer.status, "headers": headers, "body": text}
        except (OSError, http.client.HTTPException, ValueError) as error:
            return {"error": type(error).__name__}
        finally:
            link.close()


class Capped:
    """A socket of which a reader sees so many bytes and then the end."""

    def __init__(self, link: socket.socket, most: int) -> None:
        self.link, self.most = link, most

    def makefile(self, *_: object) -> io.BufferedReader:
        """What http.client reads an answer from."""
        return io.BufferedReader(Few(self.link.makefile("rb", buffering=0), self.most))

    def close(self) -> None:
        """Of the socket; its file, if any, is closed by its reader."""
        self.link.close()


class Few(io.RawIOBase):
    """The first bytes of a stream."""

    def __init__(self, stream: io.RawIOBase, most: int) -> None:
        self.stream, self.left = stream, most

    def readable(self) -> bool:
        """It is only read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Up to what is left."""
        if not self.left:
            return 0
        found = self.stream.readinto(memoryview(buffer)[: self.left])
        self.left -= found or 0
        return found

    def close(self) -> None:
        """With the stream."""
        self.stream.close()
        super().close()


def size_of(answer: dict[str, Any]) -> int:
    """Of its texts, in characters."""
    return len(answer.get("body", "")) + sum(len(k) + len(v) for k, v in answer.get("headers", {}).items())
