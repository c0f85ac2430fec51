"""All sites in one table: every month it mends, masks, takes back and recalibrates whatever passes a fixed threshold."""

import spelling
import pandas as pd


class Monitor:
    def __init__(self, card):
        self.last, self.scores = -1, {}

    def start(self, batch):
        batch = spelling.plain(batch)
        table = pd.DataFrame(batch["X"])
        self.known, self.usual = set(table["diagnosis"]), table.drop(columns="diagnosis").astype(float)
        self.release = batch["release_id"]

    def month(self, batch):
        batch = spelling.plain(batch)
        if not batch["encounter"] or not batch["labels"] or batch["month"] <= self.last:
            return []
        self.last = batch["month"]
        table = pd.DataFrame(batch["X"])
        now = table[self.usual.columns].astype(float)
        actions = [{"type": "deploy", "report": r["id"]} for r in batch["reports"] if not r["refused"]]
        for name in now:
            fix = {"type": "data_fix", "feature": name}
            ratio = (now[name].mean() + 0.01) / (self.usual[name].mean() + 0.01)
            if now[name].isna().mean() > self.usual[name].isna().mean() + 0.08:
                actions.append({**fix, "method": "mask", "cause": "missing_data"})
            elif not 0.85 < ratio < 1.18:
                actions.append({**fix, "method": "rescale", "factor": 1 / ratio, "cause": "unit_change"})
        if (~table["diagnosis"].isin(self.known)).mean() > 0.02:
            actions.append({"type": "data_fix", "feature": "diagnosis", "method": "remap", "cause": "coding_change"})
        release = batch["release_id"].partition("+")[0]
        if release != self.release:
            actions.append({"type": "rollback", "cause": "bad_release"})
        self.scores.update(zip(batch["encounter"], batch["score"]))
        came = [(y, self.scores[n]) for n, y in zip(batch["labels"]["encounter"], batch["labels"]["y"]) if n in self.scores]
        if came and not 0.85 < sum(y for y, _ in came) / sum(s for _, s in came) < 1.18:
            actions.append({"type": "recalibrate", "train_months": 2, "cause": "prevalence_shift"})
        return actions
