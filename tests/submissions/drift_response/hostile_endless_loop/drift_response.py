"""Never answers: an infinite loop in the first month."""


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        while True:
            pass
