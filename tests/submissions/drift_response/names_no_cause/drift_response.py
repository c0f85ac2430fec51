"""Does what is right and never says why."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        return [{key: value for key, value in action.items() if key != "cause"} for action in super().month(batch)]
