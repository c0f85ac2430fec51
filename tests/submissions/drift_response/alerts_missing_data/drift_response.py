"""Reports a feed that has stopped, and mends it two months later."""

import base_solution as base


class Monitor(base.Monitor):
    def __init__(self, card):
        super().__init__(card)
        self.waiting = []

    def month(self, batch):
        actions = []
        for action in super().month(batch):
            if action.get("cause") == "missing_data":
                where = {key: action[key] for key in ("site", "feature") if key in action}
                actions.append({"type": "alert", "cause": "missing_data", **where})
                self.waiting.append((batch["month"] + 2, action))
            else:
                actions.append(action)
        due = [action for month, action in self.waiting if month == self.last_month]
        self.waiting = [(month, action) for month, action in self.waiting if month > self.last_month]
        return actions + due
