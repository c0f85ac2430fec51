"""A good release whose author has not measured it and guesses."""

from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
