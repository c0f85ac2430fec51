"""The reference without data contracts: outcomes, releases and shocks, and faults of feeds end in the model."""

import base_solution as base


class Monitor(base.Monitor):
    def start(self, batch):
        super().start(batch)
        self.feeds.check = self.unseen_faults

    def unseen_faults(self, table):
        self.feeds.misread = base.np.zeros(len(table), bool)
        return [], self.feeds.misread
