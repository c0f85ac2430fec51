"""Kolmogorov-Smirnov on every feature against the reference year, corrected for their number; an alert for each."""

import spelling
import pandas as pd
from scipy.stats import ks_2samp


class Monitor:
    def __init__(self, card):
        self.last = -1

    def start(self, batch):
        batch = spelling.plain(batch)
        self.usual = pd.DataFrame(batch["X"]).drop(columns="diagnosis").astype(float)

    def month(self, batch):
        batch = spelling.plain(batch)
        if not batch["encounter"] or not batch["labels"] or batch["month"] <= self.last:
            return []
        self.last = batch["month"]
        now = pd.DataFrame(batch["X"])[self.usual.columns].astype(float)
        level = 0.05 / len(now.columns)
        moved = [n for n in now if now[n].notna().any() and ks_2samp(self.usual[n].dropna(), now[n].dropna()).pvalue < level]
        return [{"type": "alert", "feature": name} for name in moved]
