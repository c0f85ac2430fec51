"""Whatever outcomes show is called a shift of prevalence."""

import base_solution as base


class Monitor(base.Monitor):
    def month(self, batch):
        actions = super().month(batch)
        for action in actions:
            if action.get("cause") in ("concept_drift", "temporary_shock", "bad_release"):
                action["cause"] = "prevalence_shift"
        return actions
