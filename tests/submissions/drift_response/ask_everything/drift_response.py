import spelling

"""Asks the owners of every feed each month, and does what they say without looking."""

FIXES = {
    "unit_change": {"type": "data_fix", "method": "rescale"},
    "assay_change": {"type": "data_fix", "method": "mask"},
    "missing_data": {"type": "data_fix", "method": "mask"},
    "corrupt_values": {"type": "data_fix", "method": "mask"},
    "coding_change": {"type": "data_fix", "method": "remap", "feature": "diagnosis"},
    "prevalence_shift": {"type": "recalibrate", "train_months": 2},
    "concept_drift": {"type": "retrain", "train_months": 3},
    "temporary_shock": {"type": "recalibrate", "train_months": 1},
    "bad_release": {"type": "rollback"},
}


class Monitor:
    def __init__(self, card):
        self.features, self.done = card["features"], set()

    def start(self, batch):
        batch = spelling.plain(batch)
        pass

    def month(self, batch):
        batch = spelling.plain(batch)
        actions = [{"type": "deploy", "report": r["id"]} for r in batch["reports"] if not r["refused"]]
        for note in batch["answers"]:
            fix = FIXES.get(note["topic"])
            key = (note["topic"], note["feature"])
            if fix is None or key in self.done:
                continue
            self.done.add(key)
            action = {**fix, "cause": note["topic"]}
            if fix["type"] == "data_fix":
                action.setdefault("feature", note["feature"])
            if fix.get("method") == "rescale":
                action["factor"] = 1 / self.features.get(note["feature"], {}).get("factor", 10)
            actions.append(action)
        room = 12 - len(actions)
        asked = [{"type": "investigate", "feature": name} for name in [*self.features, "diagnosis"]]
        return actions + asked[: max(room, 0)]
