"""Starter: reads every batch and does nothing. The decisions are yours."""

from helpers import Ledger, Reference, rows


class Monitor:
    """One stream: created, shown the reference year, then asked once a month."""

    def __init__(self, card):
        self.card = card
        self.ledger = Ledger()

    def start(self, batch):
        """The year before the stream begins, with all its outcomes."""
        self.reference = Reference(rows(batch), batch["labels"])

    def month(self, batch):
        """What to do after this month, as a list of actions."""
        table = rows(batch)
        self.ledger.add(batch["month"], table, batch["labels"])
        return self.decide(batch, table)

    def decide(self, batch, table):
        return []
