"""Rejects a third of the candidates that meet the rules: those for single sites."""

import base_solution as base


class Monitor(base.Monitor):
    def accepted(self, report):
        return super().accepted(report) and not report["site"]
