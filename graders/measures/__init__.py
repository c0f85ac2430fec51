"""Measures: numbers about a submission's output, given the truth. They hold no points and no verdicts."""
