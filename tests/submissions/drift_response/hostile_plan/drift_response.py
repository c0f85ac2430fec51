"""A record that is deep, says everything twice and is longer than may be read."""

import base_solution as base

from types import SimpleNamespace

OWN = """{"protocol": {"data": {"min_events": 25},
 "accept": [{"field": "net_benefit", "at_least": -3.0}, {"field": "auroc", "at_least": 0.0}]}}"""
base.PLAN = SimpleNamespace(read_text=lambda encoding: OWN)
Monitor = base.Monitor
