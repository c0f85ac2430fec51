"""What the practice streams ask for, month by month: the stream whose reference year has the most similar sites is played back."""

# Per practice stream: shares of north, south, east, west, and (month, what, feature, site, cause).
SHARES = [[0.21, 0.16, 0.34, 0.28], [0.16, 0.35, 0.29, 0.21], [0.16, 0.22, 0.35, 0.27], [0.22, 0.28, 0.35, 0.15], [0.33, 0.24, 0.16, 0.27], [0.34, 0.16, 0.28, 0.22]]
STREAMS = [((4, 'mask', 'glucose', 'west', 'unit_change'), (13, 'mask', 'bnp', 'west', 'corrupt_values')),
 ((8, 'recalibrate', '', '', 'prevalence_shift'),
  (16, 'mask', 'bnp', '', 'missing_data'),
  (24, 'clear', 'bnp', '', '')),
 ((9, 'retrain', '', '', 'concept_drift'),
  (16, 'mask', 'albumin', 'east', 'missing_data'),
  (16, 'mask', 'albumin', 'west', 'missing_data')),
 ((10, 'recalibrate', '', 'south', 'prevalence_shift'), (14, 'recalibrate', '', '', 'temporary_shock')),
 ((5, 'mask', 'creatinine', 'west', 'assay_change'), (16, 'rollback', '', '', 'bad_release')),
 ((6, 'remap', 'diagnosis', '', 'coding_change'), (11, 'mask', 'albumin', 'west', 'unit_change'))]


class Monitor:
    def __init__(self, card):
        self.last = -1

    def start(self, batch):
        shares = [batch["site"].count(name) / len(batch["site"]) for name in ("north", "south", "east", "west")]
        far = [sum(abs(a - b) for a, b in zip(shares, known)) for known in SHARES]
        self.script = STREAMS[far.index(min(far))]

    def month(self, batch):
        if batch["month"] <= self.last:
            return []
        self.last = batch["month"]
        actions = [{"type": "deploy", "report": r["id"]} for r in batch["reports"] if not r["refused"]]
        for month, what, feature, site, cause in self.script:
            action = {"type": what, **{k: v for k, v in (("feature", feature), ("site", site), ("cause", cause)) if v}}
            if what in ("mask", "clear", "remap"):
                action |= {"type": "data_fix", "method": what}
            if what in ("retrain", "recalibrate"):
                action["train_months"] = 3 if what == "retrain" else 1
            actions += [action] * (month == batch["month"])
        return actions
