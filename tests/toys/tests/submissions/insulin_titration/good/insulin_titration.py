class Pump:
    def __init__(self, card):
        self.middle = (card["low"] + card["high"]) / 2
        self.basal, self.last = 2.5, None

    def dose(self, reading):
        error = reading["glucose"] - self.middle
        self.basal = min(6, max(0.5, self.basal + 0.01 * error))
        return max(0, self.basal + error / 14)
