"""A site whose values move has a new assay, whoever its patients are."""

import base_solution as base

base.Contracts.usual_patients = lambda self, site, code: base.np.full(len(code), True)
base.Contracts.moved.__globals__["SHIFT"] = 0.5
Monitor = base.Monitor
