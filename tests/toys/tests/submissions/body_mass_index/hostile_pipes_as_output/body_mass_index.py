# Leaves a FIFO, a socket and devices where a table is read.
import os
import socket
import stat


def body_mass_index(in_dir, out_dir, factor):
    os.mkfifo(out_dir / "bmi.csv")
    for kind, device in ((stat.S_IFCHR, os.makedev(1, 5)), (stat.S_IFBLK, os.makedev(8, 0))):
        try:
            os.mknod(out_dir / f"{kind}.csv", 0o666 | kind, device)
        except OSError:
            pass
    try:
        socket.socket(socket.AF_UNIX).bind(str(out_dir / "socket.csv"))
    except OSError:
        pass
    return len((in_dir / "patients.csv").read_text().splitlines()) - 1
