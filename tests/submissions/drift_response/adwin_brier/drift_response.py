"""ADWIN on the Brier score of outcomes as they arrive; a recalibration on three months whenever it fires."""

import spelling
from river.drift import ADWIN


class Monitor:
    def __init__(self, card):
        self.last, self.scores, self.window = -1, {}, ADWIN()

    def start(self, batch):
        batch = spelling.plain(batch)
        known = dict(zip(batch["labels"]["encounter"], batch["labels"]["y"]))
        for name, score in zip(batch["encounter"], batch["score"]):
            self.window.update((score - known[name]) ** 2)

    def month(self, batch):
        batch = spelling.plain(batch)
        if not batch["encounter"] or not batch["labels"] or batch["month"] <= self.last:
            return []
        self.last = batch["month"]
        self.scores.update(zip(batch["encounter"], batch["score"]))
        fired = False
        for name, y in zip(batch["labels"]["encounter"], batch["labels"]["y"]):
            if name in self.scores:
                self.window.update((self.scores.pop(name) - y) ** 2)
                fired |= self.window.drift_detected
        actions = [{"type": "deploy", "report": r["id"]} for r in batch["reports"] if not r["refused"]]
        return actions + [{"type": "recalibrate", "train_months": 3}] * fired
