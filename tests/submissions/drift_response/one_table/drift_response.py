"""All sites are one to the contracts of the feeds: medians and shares of missing values of everybody."""

import base_solution as base


class Monitor(base.Monitor):
    def start(self, batch):
        super().start(batch)
        check = self.feeds.check
        everybody = {**batch, "site": ["north"] * len(batch["site"])}
        table = base.read(everybody)
        self.feeds.contracts = base.Contracts(table, base.np.array(batch["month_of"]))

        def pooled(table):
            actions, wrong = check(base.replace(table, site=base.np.full(len(table), "north", object)))
            for action in actions:
                action.pop("site", None)
            return actions, wrong

        self.feeds.check = pooled
        self.feeds.mended, mended = lambda table: mended(base.replace(table, site=self.one(table))), self.feeds.mended
        self.feeds.masked, masked = lambda table: masked(base.replace(table, site=self.one(table))), self.feeds.masked

    @staticmethod
    def one(table):
        return base.np.full(len(table), "north", object)
