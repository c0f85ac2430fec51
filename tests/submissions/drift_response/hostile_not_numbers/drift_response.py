"""Actions whose numbers, sites and types are not: NaN, infinity, huge and negative numbers, lists in lists."""


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        deep = []
        for _ in range(500):
            deep = [deep]
        fix = {"type": "data_fix", "feature": "bnp", "method": "rescale"}
        month = batch["month"] % 4
        if month == 0:
            return [{**fix, "factor": float("nan")}, {**fix, "factor": float("inf")}]
        if month == 1:
            return [{**fix, "factor": 10**400}, {**fix, "factor": True}, {**fix, "since": -(10**30)}, {**fix, "site": {}}]
        if month == 2:
            return [deep, {"type": deep}, {"type": "retrain", "train_months": 1e300}, {"type": "deploy", "report": [1]}, None]
        return {"type": "alert", "months": {1: deep}}
