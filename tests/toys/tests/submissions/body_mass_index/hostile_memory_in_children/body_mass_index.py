# Spreads more memory than is allowed over children of which none has much.
import os
import time


def body_mass_index(in_dir, out_dir, factor):
    for _ in range(20):
        if os.fork() == 0:
            held = bytearray(16 * 2**20)
            time.sleep(30)
            os._exit(len(held) & 0)
    time.sleep(30)
