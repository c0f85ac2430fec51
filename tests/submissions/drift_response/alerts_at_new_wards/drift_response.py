"""Reports a site where a diagnosis has become much more frequent."""

import base_solution as base


class Monitor(base.Monitor):
    def start(self, batch):
        super().start(batch)
        self.reported = set()

    def month(self, batch):
        actions, table = super().month(batch), base.read(base.spelling.plain(batch))
        for site in self.sites if table else ():
            code = self.feeds.translate(table.code[table.site == site])
            if site not in self.reported and not self.feeds.contracts.usual_patients(site, code).all():
                self.reported.add(site)
                actions.append({"type": "alert", "site": site, "cause": "prevalence_shift"})
        return actions
