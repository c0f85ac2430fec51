"""An alert every third month, as a committee that meets whether or not there is something to say."""


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        return [{"type": "alert"}] if batch["month"] % 3 == 2 else []
