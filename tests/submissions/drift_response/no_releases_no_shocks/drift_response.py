"""The reference without a look at releases and shocks: data contracts and outcomes."""

import base_solution as base


class Monitor(base.Monitor):
    def released(self, release, now, score, clean):
        return []

    def shocked(self, now, masked):
        return []
