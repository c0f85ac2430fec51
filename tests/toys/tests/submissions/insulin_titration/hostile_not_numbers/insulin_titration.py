# Doses that are no numbers, or numbers that nothing bounds: each hour another one.
DOSES = (float("nan"), float("inf"), -1e308, 10**300, "5", [5], {"dose": 5}, None, -0.0, 5e-324, "NaN", b"5", {5}, 1e308)


class Pump:
    def __init__(self, card):
        pass

    def dose(self, reading):
        return DOSES[reading["hour"] % len(DOSES)]
