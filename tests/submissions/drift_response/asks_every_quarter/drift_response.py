"""Asks the owners of three feeds every quarter, whatever is seen, and pays for it."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        before = self.last_month
        actions = super().month(batch)
        asks = self.last_month > before and self.last_month % 3 == 0
        return actions + [{"type": "investigate", "feature": name} for name in ("bnp", "albumin", "sodium")] * asks
