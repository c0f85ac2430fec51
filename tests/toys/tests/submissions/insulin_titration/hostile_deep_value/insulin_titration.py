# A dose in ten thousand lists, and then one in as many as get through the writer.
class Pump:
    def __init__(self, card):
        pass

    def dose(self, reading):
        value = 5
        for _ in range(10_000 if reading["hour"] == 0 else 300):
            value = [value]
        return value
