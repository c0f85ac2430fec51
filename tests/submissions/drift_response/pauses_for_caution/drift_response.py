"""Once a year the model rests for a month in which nobody is called, for caution."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        before = self.last_month
        actions = super().month(batch)
        rests = self.last_month > before and self.last_month % 12 == 6
        return actions + [{"type": "pause", "fallback": "nobody"}] * rests
