"""A dictionary of the spellings of race in the practice data; any other says nothing."""

import base_solution as base

SPELLINGS = {
    "White": ["White", "WHITE", "W", "Caucasian", "2106-3"],
    "Black": ["Black", "Black or African American", "BLACK/AFRICAN AMERICAN", "B", "2054-5"],
    "Hispanic": ["Hispanic", "Hispanic or Latino", "HISPANIC/LATINO", "H", "2135-2"],
    "Asian": ["Asian", "ASIAN", "A", "2028-9"],
    "AIAN": ["American Indian or Alaska Native", "AIAN", "1002-5"],
    "NHPI": ["Native Hawaiian or Other Pacific Islander", "NHPI", "2076-8"],
    "Multiple": ["Multiple", "Two or more races", "MULTIRACIAL"],
}
KNOWN = {spelling: name for name, spellings in SPELLINGS.items() for spelling in spellings}

level = base.level
base.level = lambda field, value: KNOWN.get(value, "") if field == "race" else level(field, value)
evaluate = base.evaluate
