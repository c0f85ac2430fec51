"""Good work whose author has not measured it and guesses."""

from base_solution import evaluate
