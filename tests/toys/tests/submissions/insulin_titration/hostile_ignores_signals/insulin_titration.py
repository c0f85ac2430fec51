# Becomes another program that ignores signals and never ends.
import os

LOOP = "trap '' HUP INT QUIT TERM USR1 USR2 XCPU ALRM; while :; do :; done"


class Pump:
    def __init__(self, card):
        os.execv("/bin/sh", ["sh", "-c", f"({LOOP}) & {LOOP}"])
