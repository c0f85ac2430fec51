"""PID 1 of the sandbox: starts the submission in a child, relays steps, collects the named files, kills everything.

In tier B there is no PID namespace, and it is a process like others.

Standard library only, and no secret: it runs beside code nobody has vetted. driver.py is the child's side. A frame is
4 bytes of length, JSON, then the bytes of the files the JSON lists:
    → {id, op: call|http|restart|stop|peers|end, target, args, env, peers, requests, keep_out, grace_s, collect,
       files: [[name, size], …], limit_s}
    ← {id, status: ok|raised|timeout|exited|refused, value, log, files: [[name, size], …]}
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from graders.harness import processes
    from graders.harness.confinement import Confinement, Network, confine_runner
    from graders.harness.frames import in_short, read_exactly, write_frame
    from graders.harness.kernel import SET_DUMPABLE, prctl
    from graders.harness.leftovers import Refused, Usage, clear, clear_shared, collect, told
else:  # in the sandbox these files lie side by side, and there is no kit
    import processes
    from confinement import Confinement, Network, confine_runner
    from frames import in_short, read_exactly, write_frame
    from kernel import SET_DUMPABLE, prctl
    from leftovers import Refused, Usage, clear, clear_shared, collect, told

if TYPE_CHECKING:
    from graders.harness.serving import Serving

MAX_FRAME = 32 * 2**20
LOG_TAIL = 16 * 2**10
# A child that has answered may still flush files it left open; longer than this it is killed.
EXIT_GRACE_S = 2.0
# Of all processes: what lies in a pipe or socket is memory of the kernel's, and not seen here.
MOST_OPEN = 2000
# How often memory is looked at: seldom while there is little, or a fast bomb would be seen too late.
FAR_S, NEAR_S, NEAR = 0.02, 0.004, 0.25
# What a server prints is collected under this name; files of its home folder and of /dev/shm as @home/… and @shm/….
PRINTED = "@printed"
SHM = Path("/dev/shm")  # noqa: S108 - the sandbox's own, or files of the submission's own uid


def server_of(room: Room) -> Serving:
    """The other half of a room with a server. Imported for those only: an HTTP client takes long to load."""
    if TYPE_CHECKING or __package__:
        from graders.harness.serving import Serving
    else:
        from serving import Serving
    return Serving(room)


class Room:
    """The folders of a run and the submission's processes in them."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.limits = config["limits"]
        self.tier, self.uid = config["tier"], config.get("uid")
        self.root = Path(config["work"])
        self.folders = {"@in": self.root / "in", "@out": self.root / "out", "@home": self.root / "home"}
        self.process: subprocess.Popen[bytes] | None = None
        self.log, self.printed = bytearray(), bytearray()
        self.serving = server_of(self) if config["kind"] == "serve" else None
        self.usage = Usage(self.root, SHM if config["shm"] else None, self.uid, self.tier == "A")
        # What is held before the submission has run, and the files of the step: neither is its own.
        self.floor, self.given = self.usage.bytes(), 0
        self.own = processes.memory_of([os.getpid()])
        self.memory = processes.Memory(NEAR * self.limits["mem_mb"] * 2**20)
        self.started = self.ran = False
        self.watch_s = FAR_S

    # -- folders

    def lay_out(self, files: list[tuple[str, bytes]]) -> None:
        """Fill @in with this step's files and nothing else."""
        clear(self.folders["@in"])
        for name, data in files:
            path = self.folders["@in"] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        # Counted, not looked up: a submission that lives between steps holds files too, and writes more meanwhile.
        self.given = sum(Usage.FILE + Usage.PAGE * -(-len(data) // Usage.PAGE) for _, data in files)

    def fresh_folders(self, keep_out: bool) -> None:
        """An empty home for a new process, and an empty @out unless the exercise says that it persists."""
        for name in ("@home",) if keep_out and self.folders["@out"].exists() else ("@home", "@out"):
            clear(self.folders[name])
            if self.uid is not None:
                os.chown(self.folders[name], self.uid, self.uid)
        if self.config["shm"]:
            # Nothing of a submission outlives its process. In tier B the folder is the machine's.
            clear_shared(SHM, self.uid if self.tier == "B" else None)

    def memory_used(self) -> int:
        """All that the submission holds: memory of its processes, and what lies in the file systems it may write to.

        What this process has come to hold is the submission's doing, too. Raises Refused for too many open files.
        """
        if self.tier == "unsafe":
            return 0
        running = processes.everyone() if self.tier == "A" else processes.descendants()
        if processes.open_files(running) > MOST_OPEN:
            raise Refused(f"opened more than {MOST_OPEN} files, pipes and sockets")
        own = max(0, processes.memory_of([os.getpid()]) - self.own)
        return self.memory.held(running) + own + max(0, self.usage.bytes() - self.floor - self.given)

    # -- processes

    def environment(self, own: dict[str, str], addresses: dict[str, str]) -> dict[str, str]:
        """The child's whole environment. A fixed hash seed keeps a play as repeatable as the submission is.

        own: what the step adds; a folder's or peer's stand-in at the beginning of a value is put in its place.
        """
        home = str(self.folders["@home"])
        values = {"HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"}
        values |= {"PATH": self.config["path"], "PYTHONDONTWRITEBYTECODE": "1", "USER": "candidate"}
        if self.config["python_path"]:
            values["PYTHONPATH"] = self.config["python_path"]
        places = {name: str(path) for name, path in self.folders.items()} | addresses
        for key, value in own.items():
            word, slash, rest = value.partition("/")
            values[key] = places.get(word, word) + slash + rest
        return values

    def start(
        self,
        command: list[str],
        pass_fds: tuple[int, ...],
        cwd: str,
        env: dict[str, str],
        network: Network | None = None,
    ) -> None:
        """Run a command as the submission, its output going to the log. env: added to its environment."""
        self.log.clear()
        # Not the folder that holds them: nothing that this process writes to could then be exchanged for a link.
        write = [self.folders["@out"], self.folders["@home"], *([SHM] if self.config["shm"] else [])]
        confinement = Confinement(self.config, list(map(str, write)), network)
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self.environment(env, network.addresses if network else {}),
                cwd=cwd,
                pass_fds=pass_fds,
                start_new_session=True,
                preexec_fn=confinement.enter,
            )
        except subprocess.SubprocessError as error:
            # What is asked of the kernel works on this machine (sandbox.probe), so this is no fault of the submission.
            raise SystemExit(f"the submission cannot be confined here: {error}") from None
        finally:
            confinement.close()
        self.ran = True
        assert self.process.stdout is not None  # noqa: S101 - asked for above
        os.set_blocking(self.process.stdout.fileno(), False)

    def start_driver(self) -> None:
        """Start the child that answers calls, with a pipe each way."""
        down_read, down_write = os.pipe()
        up_read, up_write = os.pipe()
        config = {
            "kind": self.config["kind"],
            "entry": self.config["entry"],
            "target": self.config["target"],
            "submission": self.config["submission"],
            "folders": {name: str(path) for name, path in self.folders.items()},
            "fd_in": down_read,
            "fd_out": up_write,
        }
        command = [self.config["python"], "-P", "-s", self.config["driver"], json.dumps(config)]
        self.start(command, (down_read, up_write), str(self.folders["@home"]), {})
        os.close(down_read)
        os.close(up_write)
        for handle in (up_read, down_write):
            os.set_blocking(handle, False)
        self.to_child, self.from_child = down_write, up_read
        self.started = True

    def stop(self, grace_s: float = 0) -> None:
        """Kill every process of the submission, whatever it did to hide. grace_s: after SIGTERM and so long a wait."""
        if self.process is None:
            return
        if grace_s and self.process.poll() is None:
            self.process.terminate()
            self.wait(time.monotonic() + grace_s)
        leader = self.process.pid
        if self.tier == "A":
            processes.kill_namespace()
        elif self.uid is not None:
            processes.kill_uid(self.uid)
        else:
            processes.kill_group(leader)
        self.process.wait()
        self.drain()
        if self.process.stdout:
            self.process.stdout.close()
        if self.tier == "A":
            # Orphans are PID 1's children.
            processes.reap()
        elif self.tier == "B" and not processes.kill_tree(self.uid, leader):
            raise SystemExit("processes of the submission could not be ended")
        if self.started:
            os.close(self.to_child)
            os.close(self.from_child)
        self.process, self.started = None, False

    def drain(self) -> None:
        """Read what the submission printed, keep the tail: a full pipe would stop it."""
        if self.process and self.process.stdout and not self.process.stdout.closed:
            with contextlib.suppress(BlockingIOError, OSError):
                for _ in range(64):
                    piece = os.read(self.process.stdout.fileno(), 65536)
                    if not piece:
                        break
                    self.log += piece
                    del self.log[:-LOG_TAIL]
                    if self.config["kind"] == "serve":
                        self.printed += piece[: self.limits["out_mb"] * 2**20 + 1 - len(self.printed)]

    def trouble(self, deadline: float) -> tuple[str, str] | None:
        """A limit that has been passed, as (status, why)."""
        self.drain()
        if time.monotonic() > deadline:
            return "timeout", "ran past its limit of {limit} s"
        try:
            used, most = self.memory_used(), self.limits["mem_mb"] * 2**20
            self.watch_s = NEAR_S if used > most * NEAR else FAR_S
            if used > most:
                return "refused", f"used more than {self.limits['mem_mb']} MB of memory"
        except Refused as refusal:
            return "refused", str(refusal)
        return None

    def obituary(self) -> tuple[str, str]:
        """Why the child is gone, as (status, why)."""
        assert self.process is not None  # noqa: S101 - callers started it
        try:
            code = self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "exited", "closed its reply channel before it answered"
        if code == -signal.SIGXCPU:
            return "timeout", f"used more than {self.limits['cpu_s']} s of CPU time"
        if code < 0:
            return "exited", f"was ended by signal {-code} before it answered"
        return "exited", f"exited with code {code} before it answered"

    # -- steps

    def step(self, frame: dict[str, Any], files: list[tuple[str, bytes]]) -> tuple[str, Any]:
        """One step: lay out its files, then do what the frame says."""
        self.lay_out(files)
        deadline = time.monotonic() + frame["limit_s"]
        if frame["op"] == "stop":
            self.stop(frame["grace_s"])
            return "ok", None
        if self.serving:
            return self.serving.step(frame, deadline)
        if frame["op"] == "restart":
            self.stop()
            return "ok", None
        return self.call(frame, deadline)

    def call(self, frame: dict[str, Any], deadline: float) -> tuple[str, Any]:
        """Send one call to the child and wait for its answer, watching the limits. Raises Refused."""
        if self.process is None:
            self.fresh_folders(frame["keep_out"])
            self.start_driver()
        request = json.dumps({"target": frame["target"], "args": frame["args"]}).encode() + b"\n"
        data = bytearray()
        while True:
            # A submission that does not read its request must not keep us from looking at the clock.
            ready, room, _ = select.select([self.from_child], [self.to_child] if request else [], [], self.watch_s)
            if room:
                try:
                    request = request[os.write(self.to_child, request) :]
                except BlockingIOError:
                    pass
                except BrokenPipeError:
                    request = b""
            if ready:
                piece = os.read(self.from_child, 1 << 20)
                data += piece
                if not piece:
                    status, why = self.obituary()
                    return status, {"why": why}
                if len(data) >= 4:
                    size = struct.unpack(">I", data[:4])[0]
                    if size > MAX_FRAME:
                        return "refused", {"why": f"returned a value of more than {MAX_FRAME >> 20} MB"}
                    if len(data) >= 4 + size:
                        break
            if found := self.trouble(deadline):
                return found[0], {"why": found[1].format(limit=frame["limit_s"])}
        status, value = told(bytes(data[4 : 4 + size]))
        if status == "exited":
            return status, {"why": "left with sys.exit before it returned"}
        if status not in ("ok", "raised"):
            return "refused", {"why": "answered with something that is not a reply"}
        if status == "raised" and isinstance(value, dict) and value.get("errno") in (errno.EFBIG, errno.ENOSPC):
            return "refused", {"why": f"wrote more than {self.limits['out_mb']} MB"}
        if self.config["kind"] == "call":
            self.wait(min(deadline, time.monotonic() + EXIT_GRACE_S))
            self.stop()
        return status, value

    def wait(self, end: float) -> None:
        """Until the child has gone, a limit is passed, or the clock (of time.monotonic) is at `end`."""
        assert self.process is not None  # noqa: S101 - callers started it
        while self.process.poll() is None and not self.trouble(end):
            time.sleep(0.002)

    def collected(self) -> list[tuple[str, bytes]]:
        """What the manifest names of @out, and of what the server printed and left in its home. Raises Refused."""
        outputs, limits = self.config["outputs"], self.limits
        files = collect(self.folders["@out"], outputs, limits["out_mb"], limits["out_files"])
        if self.config["kind"] == "serve":
            owner = self.uid if self.tier == "B" else None
            for prefix, folder in (("@home/", self.folders["@home"]), ("@shm/", SHM)):
                inner = [pattern.removeprefix(prefix) for pattern in outputs if pattern.startswith(prefix)]
                if inner and (self.config["shm"] or prefix == "@home/"):
                    found = collect(folder, inner, limits["out_mb"], limits["out_files"], owner)
                    files += [(prefix + name, data) for name, data in found]
            if PRINTED in outputs:
                if len(self.printed) > limits["out_mb"] * 2**20:
                    raise Refused(f"printed more than {limits['out_mb']} MB")
                files.append((PRINTED, bytes(self.printed)))
        return files


def main(config: dict[str, Any]) -> None:
    """Answer frames from standard input until it closes or says "end"."""
    # With a handler, which Python installs for this signal, even PID 1 can be interrupted from inside.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if config["tier"] == "B":
        processes.keep(config["uid"], lambda: clear_shared(SHM, config["uid"]) if config["shm"] else None)
    # Keeps a child with the same uid out of /proc/PID/{mem,fd,environ} of this process.
    prctl(SET_DUMPABLE, 0)
    # Every connection of a server's is a file of this process too.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    room = Room(config)
    if config["tier"] == "B":
        confine_runner(config)
    try:
        while True:
            try:
                frame = json.loads(read_exactly(source, struct.unpack(">I", read_exactly(source, 4))[0]))
            except EOFError:
                return
            if frame["op"] == "end":
                return
            given = [(name, read_exactly(source, size)) for name, size in frame["files"]]
            try:
                status, value = room.step(frame, given)
            except Refused as refusal:
                status, value = "refused", {"why": str(refusal)}
            except OSError as error:
                if not room.ran:
                    raise
                # Before the submission ran, the folders worked; what it left behind is its own doing.
                status, value = "refused", {"why": f"left its folders unusable ({error.strerror})"}
            if status in ("timeout", "refused", "exited"):
                room.stop()
            files: list[tuple[str, bytes]] = []
            if status == "ok" and frame["collect"]:
                try:
                    files = room.collected()
                except Refused as refusal:
                    status, value = "refused", {"why": str(refusal)}
                except OSError as error:
                    status, value = "refused", {"why": f"left files that cannot be read ({error.strerror})"}
            room.drain()
            log = bytes(room.log).decode("utf-8", "replace")
            write_frame(sink, {"id": frame["id"], "status": status, "value": value, "log": log}, files)
    finally:
        room.stop()


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    except Exception as fault:
        sys.exit(in_short(fault))
