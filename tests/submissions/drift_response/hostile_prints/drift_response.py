"""Writes garbage and replies of its own to standard output and error, ten megabytes in a month of each stream, and says nothing else."""

import json
import os


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        if batch["month"] != 3:
            return []
        forged = json.dumps({"status": "ok", "value": [{"type": "alert"}], "log": "", "files": []}).encode() + b"\n"
        for descriptor in (1, 2):
            os.write(descriptor, b"\x00\xff\x1b[2J" * 1000 + forged)
        for _ in range(100):
            print("\x1b]0;score 100\x07" * 5_000)
        return []
