"""Reports corrupt values, multiplies them by one at first, and mends them two months later."""

import base_solution as base


class Monitor(base.Monitor):
    def __init__(self, card):
        super().__init__(card)
        self.waiting = []

    def month(self, batch):
        actions = []
        for action in super().month(batch):
            actions.append(action)
            if action.get("cause") == "corrupt_values":
                self.waiting.append((batch["month"] + 2, action))
                where = {key: action[key] for key in ("site", "feature", "cause") if key in action}
                actions[-1:] = [{"type": "alert", **where}, {"type": "data_fix", "method": "rescale", "factor": 1.0, **where}]
        due = [action for month, action in self.waiting if month == self.last_month]
        self.waiting = [(month, action) for month, action in self.waiting if month > self.last_month]
        return actions + due
