"""Takes more memory than there is."""


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        self.much = [bytearray(1 << 28) for _ in range(64)]
        return []
