"""Every decision goes through a board that meets four months later."""

import base_solution as base


class Monitor(base.Monitor):
    def __init__(self, card):
        super().__init__(card)
        self.waiting = []

    def month(self, batch):
        before = self.last_month
        self.waiting.append((batch["month"] + 4, super().month(batch)))
        if self.last_month == before:
            self.waiting.pop()
            return []
        due = [action for month, actions in self.waiting if month <= self.last_month for action in actions]
        self.waiting = [(month, actions) for month, actions in self.waiting if month > self.last_month]
        return due
