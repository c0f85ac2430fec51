"""Leaves a process, a thread and an exit handler behind that write reports once the call has returned."""

import atexit
import json
import os
import threading
import time

FINDINGS = [
    {"by": {"race": "missing"}, "metric": "o_e", "direction": "higher", "size": 1.4, "tier": "act", "cause": "miscalibration"}
]


def write(path, wait):
    time.sleep(wait)
    path.write_text(json.dumps({"rows": [], "findings": FINDINGS}))


def evaluate(in_dir, out_dir):
    path = out_dir / "report.json"
    path.write_text("{}")
    if os.fork() == 0:
        os.setsid()
        # Longer than a process that has answered is given to end.
        for _ in range(600):
            write(path, 4)
        os._exit(0)
    threading.Thread(target=write, args=(path, 5), daemon=True).start()
    atexit.register(write, path, 10)
