"""Does all that the notes say: PSI on one table, retraining, outcomes as they come, releases taken back, owners asked."""

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
        self.card, self.last, self.scores, self.high = card, -1, {}, 0
        self.factors = [f["factor"] for f in card["features"].values() if "factor" in f]

    def start(self, batch):
        batch = spelling.plain(batch)
        self.usual = pd.DataFrame(batch["X"]).drop(columns="diagnosis").astype(float)
        self.sites = pd.Series(batch["site"])
        self.medians = self.usual.groupby(self.sites).median()
        self.release, self.asked, self.mended = batch["release_id"], {}, set()

    def month(self, batch):
        batch = spelling.plain(batch)
        if not batch["encounter"] or not batch["labels"] or batch["month"] <= self.last:
            return []
        self.last = batch["month"]
        now = pd.DataFrame(batch["X"])[self.usual.columns].astype(float)
        site = pd.Series(batch["site"])
        # Deploy what you paid for.
        actions = [{"type": "deploy", "report": r["id"]} for r in batch["reports"] if not r["refused"]]
        if batch["release_id"].partition("+")[0] != self.release:
            self.release = batch["release_id"].partition("+")[0]
            actions.append({"type": "rollback", "cause": "bad_release"})
        told = {(a["site"], a["feature"]): a["topic"] for a in batch["answers"]}
        for key, topic in told.items():
            if key in self.asked and topic != "nothing" and key not in self.mended:
                self.mended.add(key)
                actions.append(self.asked[key])
        for name in now:
            for place, values in now[name].groupby(site):
                key = (place, name)
                if place not in self.medians.index or key in self.mended or key in told:
                    continue
                if values.isna().mean() > self.usual[name].isna().mean() + 0.3:
                    fix = {"type": "data_fix", "site": place, "feature": name, "method": "mask", "cause": "missing_data"}
                else:
                    ratio = values.median() / max(self.medians[name][place], 0.1)
                    known = [f for g in self.factors for f in (g, 1 / g) if 0.8 < ratio / f < 1.25]
                    if 0.6 < ratio < 1.7 or (name == "admissions" and ratio < 3):
                        continue
                    if known:
                        fix = {"type": "data_fix", "site": place, "feature": name, "method": "rescale"}
                        fix |= {"factor": 1 / known[0], "cause": "unit_change"}
                    else:
                        fix = {"type": "recalibrate", "site": place, "train_months": 3, "cause": "assay_change"}
                self.asked[key] = fix
                actions.append({"type": "investigate", "site": place, "feature": name})
        if max(psi(self.usual[name].to_numpy(), now[name].to_numpy()) for name in now) > 0.2:
            actions.append({"type": "retrain", "train_months": self.card["most_train_months"]})
        self.scores.update(zip(batch["encounter"], batch["score"]))
        came = [(y, self.scores[n]) for n, y in zip(batch["labels"]["encounter"], batch["labels"]["y"]) if n in self.scores]
        ratio = sum(y for y, _ in came) / max(sum(s for _, s in came), 1)
        self.high = self.high + 1 if came and ratio > 1.5 else 0
        if self.high == 2:
            actions.append({"type": "recalibrate", "train_months": 2, "cause": "prevalence_shift"})
        elif came and not 0.8 < ratio < 1.25:
            actions.append({"type": "alert"})
        return actions[:12]
