# Holds memory in files: in its home, in /dev/shm where there is one, and in files that are deleted while they are open.
import os
import tempfile
import time

held = []
for folder in (tempfile.gettempdir(), "/dev/shm") * 100:
    try:
        handle, path = tempfile.mkstemp(dir=folder)
        os.write(handle, b"x" * 4 * 2**20)
        held.append(handle)
    except OSError:
        pass
time.sleep(1000)
