"""The population stability index of every feature against the reference year; above .2 anywhere the model is retrained."""

import spelling
import numpy as np
import pandas as pd


def psi(usual, now):
    edges = np.unique(np.nanquantile(usual, np.linspace(0, 1, 11)))[1:-1]
    shares = []
    for values in (usual, now):
        bins = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values))
        shares.append(np.maximum(np.bincount(bins, minlength=len(edges) + 2) / len(values), 1e-4))
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


class Monitor:
    def __init__(self, card):
        self.last, self.months = -1, card["most_train_months"]

    def start(self, batch):
        batch = spelling.plain(batch)
        self.usual = pd.DataFrame(batch["X"]).drop(columns="diagnosis").astype(float)

    def month(self, batch):
        batch = spelling.plain(batch)
        if not batch["encounter"] or not batch["labels"] or batch["month"] <= self.last:
            return []
        self.last = batch["month"]
        now = pd.DataFrame(batch["X"])[self.usual.columns].astype(float)
        actions = [{"type": "deploy", "report": r["id"]} for r in batch["reports"] if not r["refused"]]
        if max(psi(self.usual[name].to_numpy(), now[name].to_numpy()) for name in now) > 0.2:
            actions.append({"type": "retrain", "train_months": self.months})
        return actions
