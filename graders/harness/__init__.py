"""The engine: submission, play in the sandbox, outcome, score, scorecard. Knows no exercise by name."""
