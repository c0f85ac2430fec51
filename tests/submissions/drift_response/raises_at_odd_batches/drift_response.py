"""Takes every batch for a month, and breaks at those that are none."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        if base.read(base.spelling.plain(batch)) is None:
            raise ValueError("not a month")
        return super().month(batch)
