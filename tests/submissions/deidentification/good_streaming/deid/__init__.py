"""De-identification in four parts: release (codes, dates), people (who is known), patterns, notes (the rule engine)."""
