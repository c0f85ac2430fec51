# Closes the pipe on which it is waited for, and goes on running.
import os
import time


class Pump:
    def __init__(self, card):
        os.closerange(3, 64)
        time.sleep(1000)
