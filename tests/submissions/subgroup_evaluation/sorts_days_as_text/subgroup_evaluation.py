"""Sorts records by the day as it is written, to find the last one."""

import base_solution as base

iso = base.iso
base.iso = lambda text, **given: text if text.name == "recorded_on" else iso(text, **given)
evaluate = base.evaluate
