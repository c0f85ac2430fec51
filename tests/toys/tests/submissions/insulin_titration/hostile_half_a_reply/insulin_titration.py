# Sends the first half of a reply and waits.
import os
import time


class Pump:
    def __init__(self, card):
        for handle in range(3, 64):
            try:
                os.write(handle, b"\0\0\1\0" + b'{"status": "ok", "val')
            except OSError:
                pass
        time.sleep(1000)
