# Good work; a process without parent, session and descriptors stays behind and goes on.
import os
import time

if os.fork() == 0:
    for leave in (os.setsid, os.setpgrp):
        try:
            leave()
        except OSError:
            pass
    if os.fork():
        os._exit(0)
    os.closerange(0, 64)
    while True:
        time.sleep(1000)
