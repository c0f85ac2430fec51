"""Leaves processes and threads behind that go on writing and calling once the month has been answered."""

import os
import threading
import time


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        if os.fork() == 0:
            os.setsid()
            for _ in range(300):
                time.sleep(1)
                print("still here", flush=True)
            os._exit(0)
        threading.Thread(target=time.sleep, args=(300,)).start()
        return []
