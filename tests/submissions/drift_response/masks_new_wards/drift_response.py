"""Masks laboratory values of a site where a diagnosis has become much more frequent."""

import base_solution as base


class Monitor(base.Monitor):
    def start(self, batch):
        super().start(batch)
        self.mended = set()

    def month(self, batch):
        actions, table = super().month(batch), base.read(base.spelling.plain(batch))
        for site in self.sites if table else ():
            code = self.feeds.translate(table.code[table.site == site])
            if site not in self.mended and not self.feeds.contracts.usual_patients(site, code).all():
                self.mended.add(site)
                fix = {"type": "data_fix", "site": site, "method": "mask"}
                actions += [{**fix, "feature": name} for name in ("creatinine", "bnp")]
        return actions
