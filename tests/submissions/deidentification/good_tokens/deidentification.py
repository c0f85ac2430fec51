"""Free text by tokens and a table of short rules over them (a small state machine); the rest as in the sample it changes.

deid_tokens    text as tokens with tags: shapes, word classes, the word itself
deid_words     the word classes
deid_rules     the tables of rules over tokens
deid_machine   the pattern language of the rules, and the walk that matches them
deid_scrub     marks tokens and replaces marked ones by their kind, as in [NAME]
"""

import base_solution
from deid_scrub import Scrubber

base_solution.Scrubber = Scrubber
deidentify = base_solution.deidentify
