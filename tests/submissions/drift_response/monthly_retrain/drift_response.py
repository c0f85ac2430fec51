"""Retrains every month on the last eight and deploys what comes of it."""


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        actions = [{"type": "deploy", "report": r["id"]} for r in batch["reports"] if not r["refused"]]
        if batch["month"] % 1 == 0:
            actions.append({"type": "retrain", "train_months": 8})
        return actions
