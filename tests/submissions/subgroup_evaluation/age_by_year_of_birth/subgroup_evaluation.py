"""Age is the card's year less the year of birth."""

import base_solution as base

people = base.people
base.people = lambda in_dir, card: people(in_dir, card | {"age_on": card["age_on"][:4] + "-12-31"})
evaluate = base.evaluate
