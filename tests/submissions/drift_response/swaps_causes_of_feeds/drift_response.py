"""Takes units for assays and missing values for corrupt ones, and the other way round."""

import base_solution as base

OTHER = {"unit_change": "assay_change", "missing_data": "corrupt_values"}
OTHER |= {there: here for here, there in OTHER.items()}


class Monitor(base.Monitor):
    def month(self, batch):
        actions = super().month(batch)
        for action in actions:
            if "cause" in action:
                action["cause"] = OTHER.get(action["cause"], action["cause"])
        return actions
