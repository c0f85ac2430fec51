"""Ten megabytes of actions a month, all of them well formed."""


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        fix = {"type": "data_fix", "feature": "bnp", "site": "north", "method": "rescale", "factor": 1.0, "cause": "unit_change"}
        return [fix] * 80_000
