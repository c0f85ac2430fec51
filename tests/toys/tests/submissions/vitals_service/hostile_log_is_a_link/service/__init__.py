# Good answers; the log is a link to a file elsewhere, beside links to files of the system.
import os
import sys
import tempfile

folder = sys.argv[sys.argv.index("--log-dir") + 1]
os.symlink(f"{tempfile.gettempdir()}/elsewhere.log", f"{folder}/access.log")
for number, target in enumerate(("/etc/passwd", "/", "/dev/null", "access.log", "/proc/self/mem")):
    os.symlink(target, f"{folder}/{number}.log")
