# Good answers; the log is a FIFO, beside a socket: whoever opens it to read waits for ever.
import os
import socket
import sys

folder = sys.argv[sys.argv.index("--log-dir") + 1]
os.mkfifo(f"{folder}/access.log")
# Kept open at both ends, or writing to it would wait, too.
handle = os.open(f"{folder}/access.log", os.O_RDWR)
try:
    socket.socket(socket.AF_UNIX).bind(f"{folder}/socket.log")
except OSError:
    pass
