"""Retrains every third month on the last eight and deploys what comes of it."""


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        actions = [{"type": "deploy", "report": r["id"]} for r in batch["reports"] if not r["refused"]]
        if batch["month"] % 3 == 2:
            actions.append({"type": "retrain", "train_months": 8})
        return actions
