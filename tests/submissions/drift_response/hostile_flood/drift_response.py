"""Ten megabytes of actions in one month of each stream, all of them well formed."""


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        if batch["month"] != 3:
            return []
        fix = {"type": "data_fix", "feature": "bnp", "site": "north", "method": "rescale", "factor": 1.0, "cause": "unit_change"}
        return [fix] * 80_000
