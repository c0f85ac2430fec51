# A whole number of more digits than a reader takes.
class Pump:
    def __init__(self, card):
        pass

    def dose(self, reading):
        return 10**4000
