"""Ends the process with status 0 before there is a report."""

import os


def evaluate(in_dir, out_dir):
    os._exit(0)
