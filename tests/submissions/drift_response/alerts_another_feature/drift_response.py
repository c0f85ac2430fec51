"""Masks faulty feeds, and reports each of them as a fault of age, which nobody looks at."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        actions = super().month(batch)
        faults = [a for a in actions if a.get("method") == "mask"]
        return actions + [{"type": "alert", "cause": a["cause"], "feature": "age"} for a in faults]
