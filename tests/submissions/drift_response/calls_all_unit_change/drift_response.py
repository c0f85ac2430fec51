"""Every cause is a change of units."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        actions = super().month(batch)
        for action in actions:
            if action.pop("cause", None) and action["type"] != "alert":
                action["cause"] = "unit_change"
        return actions
