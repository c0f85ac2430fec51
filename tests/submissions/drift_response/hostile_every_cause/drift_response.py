"""Reports every cause every month, with a mask beside it, so that whatever happens was named and seen to."""


class Monitor:
    def __init__(self, card):
        pass

    def start(self, batch):
        pass

    def month(self, batch):
        causes = ("unit_change", "assay_change", "coding_change", "missing_data", "corrupt_values", "prevalence_shift")
        causes += ("concept_drift", "temporary_shock", "bad_release")
        mask = {"type": "data_fix", "feature": "sodium", "method": "mask"}
        return [mask] + [{"type": "alert", "cause": cause} for cause in causes]
