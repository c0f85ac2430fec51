"""Tries what the filter denies, one class of system calls each; returns name -> errno, 0 when it worked.

Every attempt must be harmless for root without any sandbox: a wrong path, no flag to create, the value there is already.
What a filter refuses, it refuses before the kernel looks at the arguments. Never run this outside a sandbox all the same.
"""

import ctypes
import mmap
import os
import resource
import socket

LIBRARY = ctypes.CDLL(None, use_errno=True)
PIPE = os.pipe()
PAGE = ctypes.create_string_buffer(4096)


def call(number, *words):
    if LIBRARY.syscall(number, *words) < 0:
        raise OSError(ctypes.get_errno(), "")


def tries(numbers):
    n = numbers
    return {
        "ptrace": lambda: call(n["ptrace"], 0, 0, 0, 0),
        "process_vm_readv": lambda: call(n["process_vm_readv"], os.getpid(), 0, 0, 0, 0, 0),
        "kcmp": lambda: call(n["kcmp"], os.getpid(), os.getpid(), 0, 0, 0),
        "pidfd_getfd": lambda: call(n["pidfd_getfd"], os.pidfd_open(os.getpid()), 1, 0),
        "mount": lambda: call(n["mount"], b"none", b"/nonexistent/place", b"tmpfs", 0, 0),
        "chroot": lambda: call(n["chroot"], b"/nonexistent/place"),
        "open_tree": lambda: call(n["open_tree"], -100, b"/", 0),
        "name_to_handle_at": lambda: call(n["name_to_handle_at"], -100, b"/", PAGE, PAGE, 0),
        "unshare": lambda: apart(lambda: call(n["unshare"], 0x10000000)),
        "setns": lambda: call(n["setns"], -1, 0),
        "clone_newuser": lambda: clone(n["clone"], 0x10000000 | 17),
        "clone_newpid": lambda: clone(n["clone"], 0x20000000 | 17),
        "keyctl": lambda: call(n["keyctl"], 0, -3, 0),
        "add_key": lambda: call(n["add_key"], 0, 0, 0, 0, 0),
        "bpf": lambda: call(n["bpf"], 0, 0, 0),
        "perf_event_open": lambda: call(n["perf_event_open"], PAGE, 0, -1, -1, 0),
        "io_uring_setup": lambda: call(n["io_uring_setup"], 1, ctypes.create_string_buffer(256)),
        "userfaultfd": lambda: call(n["userfaultfd"], 1),
        "kexec_load": lambda: call(n["kexec_load"], 0, 0, 0, 0xFFFF),
        "init_module": lambda: call(n["init_module"], 0, 0, 0),
        "settimeofday": lambda: call(n["settimeofday"], 1, 1),
        "personality": lambda: apart(lambda: call(n["personality"], 0x0040000)),
        "memfd_create": lambda: call(n["memfd_create"], b"x", 0),
        "shmget": lambda: call(n["shmget"], 77, 4096, 0),
        "msgget": lambda: call(n["msgget"], 77, 0),
        "semget": lambda: call(n["semget"], 77, 1, 0),
        "mq_open": lambda: call(n["mq_open"], b"nonexistent", 0, 0, 0),
        "mmap_shared_anonymous": lambda: mmap.mmap(-1, 4096).close(),
        "netlink": lambda: socket.socket(16, socket.SOCK_RAW, 0).close(),
        "packet": lambda: socket.socket(17, socket.SOCK_RAW, 0).close(),
        "vsock": lambda: socket.socket(40, socket.SOCK_STREAM, 0).close(),
        "alg": lambda: socket.socket(38, socket.SOCK_SEQPACKET, 0).close(),
        "raw_inet": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(),
        "terminal_input": lambda: call(n["ioctl"], -1, 0x5412, b"x"),
        "limits_of_others": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CORE),
        "priority_of_others": lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), os.getpriority(os.PRIO_PROCESS, os.getppid())),
        "signal_owner": lambda: call(n["fcntl"], PIPE[0], 8, os.getpid()),
    }


def clone(number, flags):
    child = LIBRARY.syscall(number, flags, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    if child < 0:
        raise OSError(ctypes.get_errno(), "")
    os.waitpid(child, 0)


def only_in_b():
    import shutil
    import time

    own = "own.txt"
    with open(own, "w") as out:
        out.write("x")

    def fast_open():
        with socket.socket() as probe:
            probe.sendto(b"x", 0x20000000, ("127.0.0.1", 9))

    return {
        "unix_socket": lambda: socket.socket(socket.AF_UNIX).close(),
        "unix_datagram_pair": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
        "tcp": lambda: socket.socket().close(),
        "fast_open": fast_open,
        "inotify": lambda: call_inotify(),
        "own_session": lambda: apart(os.setsid),
        "change_owner": lambda: os.chown(own, os.getuid(), os.getgid()),
        "copies": lambda: shutil.copy2(own, f"{own}.{time.time()}"),
    }


def call_inotify():
    if LIBRARY.inotify_init() < 0:
        raise OSError(ctypes.get_errno(), "")


def results(found):
    done = {}
    for name, attempt in found.items():
        try:
            attempt()
            done[name] = 0
        except OSError as error:
            done[name] = error.errno
    return done


def everywhere(numbers, names=()):
    return results({name: attempt for name, attempt in tries(numbers).items() if not names or name in names})


def in_b():
    return results(only_in_b())


def apart(action):
    """In a child, whose state is lost."""
    child = os.fork()
    if child == 0:
        try:
            action()
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        raise OSError(code, "")


def reads(paths):
    """Which of these files and folders may be opened."""
    found = []
    for path in paths:
        try:
            os.listdir(path) if os.path.isdir(path) else open(path).close()
            found.append(path)
        except OSError:
            pass
    return found


def changes(folder):
    """Everything that can be tried on a folder of a test's own with a file in it. Returns what did not fail."""
    path, found = os.path.join(folder, "file.txt"), []
    for what, action in (
        ("makes", lambda: open(os.path.join(folder, "new"), "w").close()),
        ("makes a folder", lambda: os.mkdir(os.path.join(folder, "new folder"))),
        ("links into", lambda: os.symlink("/", os.path.join(folder, "link"))),
        ("links from", lambda: os.link(path, "link")),
        ("writes", lambda: open(path, "a").close()),
        ("truncates", lambda: os.truncate(path, 0)),
        ("empties", lambda: os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))),
        ("renames", lambda: os.rename(path, path + ".x")),
        ("fetches", lambda: os.rename(path, "fetched")),
        ("deletes", lambda: os.unlink(path)),
        ("owns", lambda: os.chown(path, os.getuid(), os.getgid())),
        ("labels", lambda: os.setxattr(path, "user.x", b"x")),
    ):
        try:
            action()
            found.append(what)
        except OSError:
            pass
    # Answered as done to the user's own uid, so only the test can see that they did nothing.
    for action in (lambda: os.chmod(path, 0o777), lambda: os.utime(path, (1, 1)), lambda: os.chmod(folder, 0o777)):
        try:
            action()
        except OSError:
            pass
    return found
