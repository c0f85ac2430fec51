"""Ignores every signal, sets its files into the future and waits for more time."""

import os
import signal
import time


def evaluate(in_dir, out_dir):
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    (out_dir / "report.json").write_text('{"rows": [], "findings": []}')
    while True:
        os.utime(out_dir / "report.json", (4e9, 4e9))
        time.sleep(0.1)
