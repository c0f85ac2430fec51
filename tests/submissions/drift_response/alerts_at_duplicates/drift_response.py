"""Reports a month that comes once more."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        again = batch["month"] <= self.last_month
        return [{"type": "alert"}] if again else super().month(batch)
