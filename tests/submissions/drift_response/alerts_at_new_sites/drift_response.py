"""Reports every site that was not there in the reference year, in each of three months."""

import base_solution as base


class Monitor(base.Monitor):
    seen = 0

    def month(self, batch):
        actions = super().month(batch)
        new = sorted(set(batch["site"]) - set(self.sites)) if self.seen < 3 else []
        self.seen += bool(new)
        return actions + [{"type": "alert", "site": site} for site in new]
