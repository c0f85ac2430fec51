"""Ends the process with status 0 in its sixth month."""

import os


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        if batch["month"] == 5:
            os._exit(0)
        return []
