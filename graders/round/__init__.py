"""Many submissions at once: a hiring round."""
