"""Leaves in its fourth month, with status 0."""

import sys


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        if batch["month"] == 3:
            sys.exit(0)
        return []
