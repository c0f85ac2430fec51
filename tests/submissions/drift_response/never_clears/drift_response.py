"""A fix, once made, stays."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        return [action for action in super().month(batch) if action.get("method") != "clear"]
