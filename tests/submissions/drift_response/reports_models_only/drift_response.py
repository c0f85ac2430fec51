"""Says what is wrong with a model or a release, and changes neither; feeds are mended."""

import base_solution as base


class Monitor(base.Monitor):
    def request(self, case):
        return []

    def back(self, cause, case=None):
        super().back(cause, case)
        self.turned = False
        return [{"type": "alert", "cause": cause}]
