import spelling

"""Knows kinds and months of events from the kit's source, and the clock and release names; looks at nothing else."""

STRONG = ("admissions", "albumin", "bnp")  # what a feed that stops or a burst may take


class Monitor:
    def __init__(self, card):
        self.last, self.release = -1, None

    def start(self, batch):
        batch = spelling.plain(batch)
        self.release = batch["release_id"]

    def month(self, batch):
        batch = spelling.plain(batch)
        month, release = batch["month"], batch["release_id"].partition("+")[0]
        if month <= self.last:
            return []
        self.last = month
        new, self.release = release != self.release, release
        actions = [{"type": "deploy", "report": r["id"]} for r in batch["reports"] if not r["refused"]]
        # Bad releases come in months 3 to 7 and 11 to 16, sound ones in 7 to 10 and 15 to 19.
        if new and (3 <= month < 7 or 11 <= month < 15):
            actions.append({"type": "rollback", "cause": "bad_release"})
        if month == 5:
            actions.append({"type": "data_fix", "feature": "diagnosis", "method": "remap", "cause": "coding_change"})
        if month in (5, 14):
            fix = {"type": "data_fix", "method": "mask", "cause": "missing_data"}
            actions += [{**fix, "feature": name} for name in STRONG]
        if month in (10, 21):
            actions += [{"type": "data_fix", "feature": name, "method": "clear"} for name in STRONG]
        if month in (8, 17):
            actions.append({"type": "recalibrate", "train_months": 2, "cause": "prevalence_shift"})
        if month == 9:
            actions.append({"type": "retrain", "train_months": 3, "cause": "concept_drift"})
        return actions
