class Pump:
    def __init__(self, card):
        self.card = card

    def dose(self, reading):
        return 10 if reading["glucose"] > self.card["high"] else 0
