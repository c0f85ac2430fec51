"""Divides by what should be multiplied by."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        actions = super().month(batch)
        for action in actions:
            if "factor" in action:
                action["factor"] = 1 / action["factor"]
        return actions
