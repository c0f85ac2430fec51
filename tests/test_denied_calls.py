"""System calls that a submission does not get: every class is tried in every tier, every number on both machines."""

from __future__ import annotations

import errno
import functools
import importlib.util
import os
import platform
import shutil
import struct
from pathlib import Path

import pytest
from each_tier import TIERS

from graders.harness import sandbox, seccomp, syscalls
from graders.harness.play import frame_of
from synthetic_data.scene import Request

KIT = Path(__file__).parents[1]
PROBE = Path(__file__).parent / "probes/denied_calls.py"
NUMBERS = syscalls.numbers(seccomp.MACHINES.get(platform.machine(), (0, 1))[1])
LIMITS = sandbox.Limits(wall_s=30, cpu_s=30, mem_mb=500, procs=32, out_mb=5, out_files=5)
spec = importlib.util.spec_from_file_location("denied_calls", PROBE)
denied_calls = importlib.util.module_from_spec(spec)
spec.loader.exec_module(denied_calls)
CLASSES = sorted(denied_calls.tries(NUMBERS))


def ask(tier, folder, target, *args):
    for path in (folder.parent, folder):
        path.chmod(0o755)
    shutil.copy(PROBE, folder)
    program = sandbox.Program("call", PROBE.name, target, [])
    with sandbox.open_pipe(tier, sandbox.Mounts(folder), LIMITS, program) as pipe:
        header, _ = pipe.ask(frame_of(Request("call", target, args)), {})
    assert header["status"] == "ok", header
    return header["value"]


@pytest.fixture(params=TIERS)
def tier(request):
    return TIERS[request.param]


@pytest.fixture(scope="module", params=TIERS)
def answers(request, tmp_path_factory):
    return ask(TIERS[request.param], tmp_path_factory.mktemp("probe"), "everywhere", NUMBERS)


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CLASSES)
def test_a_class_of_calls_is_refused(answers, name):
    assert answers[name] == errno.EPERM


# No control without a sandbox: these calls may never be made outside of one. What refuses them, the filter or a missing
# right, is told apart below, where the filter is read as the kernel reads it.


@pytest.mark.sandbox
def test_tier_b_refuses_what_namespaces_would_have_kept_apart(tier, tmp_path):
    if tier.name == "B":
        answers = ask(tier, tmp_path, "in_b")
        allowed = {"copies", "change_owner", "own_session"} if tier.as_root else {"copies"}
        assert {name for name, code in answers.items() if code != errno.EPERM} == allowed


@pytest.mark.sandbox
def test_home_kit_and_other_submissions_cannot_be_read(tier, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "solution.py").write_text("x")
    places = [other, other / "solution.py", KIT, KIT / "pyproject.toml", Path(seccomp.__file__), Path.home(), "/root"]
    places += ["/home", "/srv", "/etc/passwd", "/etc/shadow", "/proc/1/environ", "/proc/1/root", "/tmp", "/var/log"]
    (tmp_path / "own").mkdir()
    found = ask(tier, tmp_path / "own", "reads", [str(place) for place in places])
    # In tier A these are the sandbox's own: a fake passwd, and an empty home behind /tmp.
    assert set(found) <= ({"/etc/passwd", "/tmp", "/root", "/home"} if tier.name == "A" else set())


@pytest.mark.sandbox
def test_files_outside_the_run_folder_stay_as_they_are(tier, tmp_path):
    folder, own = tmp_path / "outside", tmp_path / "own"
    for path in (folder, own):
        path.mkdir()
    file = folder / "file.txt"
    file.write_text("as it was")
    # Open to all, so that nothing but the sandbox is in the way.
    for path, mode in ((tmp_path, 0o755), (folder, 0o707), (file, 0o606)):
        path.chmod(mode)
    before = [(path.stat().st_mode, path.stat().st_mtime_ns, path.stat().st_uid) for path in (folder, file)]
    assert ask(tier, own, "changes", str(folder)) == []
    assert [path.name for path in folder.iterdir()] == ["file.txt"]
    assert file.read_text() == "as it was"
    assert [(path.stat().st_mode, path.stat().st_mtime_ns, path.stat().st_uid) for path in (folder, file)] == before
    assert os.listxattr(file) == []


def verdict(code: bytes, machine: str, number: int, arguments=(0,) * 6, arch: int | None = None) -> int:
    """What the kernel would do: the few instructions of BPF that our filters are made of."""
    data = struct.pack("<IIQ6Q", number, seccomp.MACHINES[machine][0] if arch is None else arch, 0, *arguments)
    at, value = 0, 0
    while True:
        operation, yes, no, operand = struct.unpack_from("=HBBI", code, at * 8)
        at += 1
        if operation == seccomp.LOAD:
            value = struct.unpack_from("<I", data, operand)[0]
        elif operation == seccomp.AND:
            value &= operand
        elif operation == seccomp.RETURN:
            return operand
        else:
            holds = {seccomp.EQUAL: value == operand, seccomp.GREATER: value > operand,
                     seccomp.AT_LEAST: value >= operand, seccomp.ANY_BIT: bool(value & operand)}[operation]  # fmt: skip
            at += yes if holds else no


MACHINES = sorted(seccomp.MACHINES)


@functools.cache
def code_for(machine, tier, *given):
    return seccomp.program(tier, *given, machine=machine)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("tier", ["A", "B"])
def test_every_denied_number_is_denied_and_the_rest_of_numpy_is_not(machine, tier):
    code = code_for(machine, tier)
    known = syscalls.numbers(seccomp.MACHINES[machine][1])
    for names in seccomp.DENIED.values():
        for name in names.split():
            if name in known:
                assert verdict(code, machine, known[name]) == seccomp.EPERM, name
    assert verdict(code, machine, known["clone3"]) == seccomp.ENOSYS
    # read, write, futex, openat, execve, clone of a thread, socketpair.
    usual = {"x86_64": (0, 1, 202, 257, 59), "aarch64": (63, 64, 98, 56, 221)}[machine]
    assert all(verdict(code, machine, number) == seccomp.ALLOW for number in usual)
    assert verdict(code, machine, known["clone"], (0x3D0F00, 0, 0, 0, 0, 0)) == seccomp.ALLOW
    assert verdict(code, machine, known["socketpair"], (1, 0x80001, 0, 0, 0, 0)) == seccomp.ALLOW
    assert verdict(code, machine, known["mmap"], (0, 4096, 3, 0x22, 0, 0)) == seccomp.ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_another_architecture_is_killed_and_unknown_numbers_do_not_exist(machine):
    code = code_for(machine, "A")
    other = 0x40000003  # AUDIT_ARCH_I386, which an x86_64 process enters with int 0x80
    assert verdict(code, machine, 0, arch=other) == seccomp.KILL
    assert verdict(code, machine, 1 | seccomp.X32) == seccomp.ENOSYS
    assert verdict(code, machine, syscalls.LAST + 1) == seccomp.ENOSYS
    assert verdict(code, machine, syscalls.LAST) == seccomp.ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("network", "words", "allowed"),
    [
        (False, (2, 1, 0), False),  # no TCP for a submission that is not a server
        (True, (2, 0x80801, 6), True),  # TCP, close-on-exec and non-blocking
        (True, (10, 1, 0), True),
        (True, (2, 1, 262), False),  # MPTCP, which Landlock does not govern
        (True, (2, 2, 0), False),  # UDP
        (True, (1, 1, 0), False),  # AF_UNIX
    ],
)
def test_sockets_of_tier_b(machine, network, words, allowed):
    number = syscalls.numbers(seccomp.MACHINES[machine][1])["socket"]
    found = verdict(code_for(machine, "B", True, network), machine, number, (*words, 0, 0, 0))
    assert found == (seccomp.ALLOW if allowed else seccomp.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
def test_with_the_users_own_uid_groups_owners_and_old_kernels_signals_are_denied_too(machine):
    known = syscalls.numbers(seccomp.MACHINES[machine][1])
    own, shared, old = (code_for(machine, "B", *given) for given in ((True,), (False,), (False, True, False)))
    denied = f"{seccomp.GROUPS} {seccomp.OWNERS}"
    for names, answer in ((denied, seccomp.EPERM), (seccomp.MODES, seccomp.DONE)):
        for name in set(names.split()) & set(known):
            assert verdict(own, machine, known[name]) == seccomp.ALLOW
            assert verdict(shared, machine, known[name]) == answer, name
    for names, answer in ((seccomp.LABELS, seccomp.EPERM), (seccomp.TIMES, seccomp.DONE)):
        for name in set(names.split()) & set(known):
            assert verdict(own, machine, known[name]) == verdict(shared, machine, known[name]) == answer
    for name in seccomp.SIGNALS.split():
        assert verdict(shared, machine, known[name]) == seccomp.ALLOW
        assert verdict(old, machine, known[name]) == seccomp.EPERM


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("words", "done"),
    [
        ((0xFFFFFF9C, 4096, 8192, 0), True),  # os.utime(path, (1, 1)), shutil.copy2
        ((3, 0, 0, 0), True),  # futimens, by touch(1), which has made the file by then
        ((0xFFFFFF9C, 4096, 0, 0), False),  # Path.touch: only when this fails does it make the file
    ],
)
def test_times_are_not_said_to_be_set_before_a_file_is_made(machine, words, done):
    number = syscalls.numbers(seccomp.MACHINES[machine][1])["utimensat"]
    found = verdict(code_for(machine, "B", True), machine, number, (*words, 0, 0))
    assert found == (seccomp.DONE if done else seccomp.EPERM)


def test_a_machine_without_a_table_has_no_filter():
    with pytest.raises(seccomp.Unsupported, match="riscv64"):
        seccomp.program("A", machine="riscv64")
