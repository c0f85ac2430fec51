"""Deploys by other rules than those of its record."""

import base_solution as base

# What the monitor itself goes by; the record that is handed in says something else.
OWN = {"data": {"min_events": 25}, "accept": [{"field": "net_benefit", "at_least": -3.0}, {"field": "auroc", "at_least": 0.0}]}


class Monitor(base.Monitor):
    def __init__(self, card):
        super().__init__(card)
        self.protocol = OWN
