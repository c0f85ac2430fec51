"""Contracts of every feed by site, and recalibrations of all sites on known outcomes; weights and releases go unseen."""

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
        models = self.levels.month(batch) if batch["month"] == self.feeds.last else []
        return (models + fixes)[:12]
