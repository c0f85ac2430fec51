"""A site with one faulty feed is not believed in what the model takes most from either, for good."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        actions = super().month(batch)
        for action in [a for a in actions if a["type"] == "data_fix" and a.get("cause")]:
            actions += [{**action, "method": "mask", "feature": name} for name in ("admissions", "albumin")]
        return actions
