"""Good work with predictions that cannot be wrong."""

from base_solution import evaluate
