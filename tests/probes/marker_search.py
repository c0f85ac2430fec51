"""Looks for a planted marker everywhere a submission can look; returns where it was found and what was searched."""

import os
import socket
from pathlib import Path

SKIP = ("/usr/", "/sys/")


def readable_files(root):
    if os.path.isfile(root):
        yield root
    for folder, folders, files in os.walk(root, followlinks=False):
        folders[:] = [f for f in folders if not os.path.join(folder, f, "").startswith(SKIP)]
        for name in files:
            yield os.path.join(folder, name)


def holds(path, needle):
    try:
        if not os.path.isfile(path) and not path.startswith("/proc"):
            return None
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return needle in os.read(handle, 1 << 20)
    except OSError:
        return None
    finally:
        os.close(handle)


def search(in_dir, out_dir, half1, half2, *roots):
    # In two halves, so that this process's own arguments are not the find.
    needle = (half1 + half2).encode()
    found, searched = [], 0
    for path in (path for root in ("/", *roots, str(in_dir.parent)) for path in readable_files(root)):
        if path.startswith(f"/proc/{os.getpid()}/") or path.startswith("/proc/self/") or "/kmsg" in path:
            continue
        hit = holds(path, needle)
        searched += hit is not None
        if hit:
            found.append(path)
    for process in [Path("/proc", str(number)) for number in range(1, 40000)]:
        if process.name.isdigit() and int(process.name) != os.getpid():
            for name in ("environ", "cmdline", "mem", "maps", "fd/0", "fd/1", "fd/3", "fd/4", "root/etc/passwd"):
                if holds(str(process / name), needle):
                    found.append(str(process / name))
            try:
                for handle in os.listdir(process / "fd"):
                    if needle in os.readlink(process / "fd" / handle).encode():
                        found.append(f"{process}/fd/{handle}")
            except OSError:
                pass
    open_ports = 0
    for port in range(1, 65536) if has_sockets() else ():
        with socket.socket() as probe:
            probe.settimeout(0.2)
            # A socket that connects to its own ephemeral port has found nobody.
            if probe.connect_ex(("127.0.0.1", port)) == 0 and probe.getsockname() != probe.getpeername():
                open_ports += 1
                probe.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if needle in probe.recv(65536):
                    found.append(f"loopback port {port}")
    environment = [name for name, value in os.environ.items() if needle.decode() in value]
    (out_dir / "found.txt").write_text("\n".join(found + environment) + "\n")
    return {"found": found + environment, "searched": searched, "ports": open_ports, "processes": processes()}


def has_sockets():
    try:
        socket.socket().close()
        return True
    except PermissionError:
        return False


def processes():
    try:
        os.listdir("/proc")
    except PermissionError:
        return ["1"]
    return sorted(p.name for p in Path("/proc").iterdir() if p.name.isdigit())
