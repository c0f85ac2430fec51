"""Contracts of every feed by site, and an alert where known outcomes are far off; no model is ever changed."""

import spelling
import spelling
import levels


class Monitor:
    def __init__(self, card):
        self.feeds, self.levels = feeds.Monitor(card), levels.Monitor(card)

    def start(self, batch):
        batch = spelling.plain(batch)
        self.feeds.start(batch)

    def month(self, batch):
        batch = spelling.plain(batch)
        fixes = self.feeds.month(batch)
        found = self.levels.month(batch) if batch["month"] == self.feeds.last else []
        return fixes + [{"type": "alert", "cause": "prevalence_shift"} for action in found]
