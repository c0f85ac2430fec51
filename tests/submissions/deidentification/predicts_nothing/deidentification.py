"""A good release with a prediction that cannot be wrong."""

from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
