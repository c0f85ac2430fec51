# Good work in the first play; in the second it is ended by a signal when its files are written.
import os
import signal

from base_solution import body_mass_index as honest


def body_mass_index(in_dir, out_dir, factor):
    count = honest(in_dir, out_dir, factor)
    if factor > 1:
        os.kill(os.getpid(), signal.SIGSEGV)
    return count
