"""What drift reports do by default: a test a column, and a retraining when half of the columns have drifted."""

import spelling
import pandas as pd
from scipy.stats import chisquare, ks_2samp


def drifted(usual, now):
    if usual.dtype == object:
        kinds = sorted(set(usual) | set(now))
        share = usual.value_counts().reindex(kinds, fill_value=0) + 0.5
        return chisquare(now.value_counts().reindex(kinds, fill_value=0), share / share.sum() * len(now)).pvalue < 0.05
    return ks_2samp(usual.dropna(), now.dropna()).pvalue < 0.05


class Monitor:
    def __init__(self, card):
        self.last = -1

    @staticmethod
    def table(batch):
        table = pd.DataFrame(batch["X"]).assign(score=batch["score"])
        return table.astype({name: float for name in table if name != "diagnosis"})

    def start(self, batch):
        batch = spelling.plain(batch)
        self.usual = self.table(batch)

    def month(self, batch):
        batch = spelling.plain(batch)
        if not batch["encounter"] or not batch["labels"] or batch["month"] <= self.last:
            return []
        self.last = batch["month"]
        now = self.table(batch)
        actions = [{"type": "deploy", "report": r["id"]} for r in batch["reports"] if not r["refused"]]
        if sum(bool(drifted(self.usual[n], now[n])) for n in now) > len(now.columns) / 2:
            actions.append({"type": "retrain", "train_months": 6})
        return actions
