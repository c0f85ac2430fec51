"""Masks what a malformed batch does not hold."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        missing = [name for name in self.standard.centre if name not in batch["X"]]
        fixes = [{"type": "data_fix", "feature": name, "method": "mask", "cause": "missing_data"} for name in missing]
        return fixes + super().month(batch)
