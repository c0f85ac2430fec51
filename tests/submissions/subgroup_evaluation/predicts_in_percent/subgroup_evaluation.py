"""Good work with predictions in percent."""

from base_solution import evaluate
