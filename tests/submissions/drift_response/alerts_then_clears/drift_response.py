"""Reports a feed again that was mended at its source when its fix is taken away."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        actions = super().month(batch)
        ended = [a for a in actions if a.get("method") == "clear"]
        return actions + [{"type": "alert", "cause": "corrupt_values", "feature": a["feature"]} for a in ended]
