"""The reference without outcomes, releases and shocks: data contracts alone."""

import base_solution as base


class Monitor(base.Monitor):
    def released(self, release, now, score, clean):
        return []

    def shocked(self, now, masked):
        return []

    def trained(self):
        return []
