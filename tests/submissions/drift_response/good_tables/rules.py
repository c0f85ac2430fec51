"""The simple table of rules. One place for every threshold; sd = spread of log values in the site's reference year."""

RULES = {
    "unit": {"near": 0.30},                               # |ln ratio - ln factor|: acted on in the first month
    "assay_now": {"sd": 1.35, "wander": 6.0, "least": 0.20},  # one month is enough
    "assay_two": {"sd": 0.62, "wander": 3.2, "least": 0.12},  # two months in a row, same direction
    "assay_even": {"log": 0.30},                          # quartile ratios may differ by so much of an sd + this
    "stuck": {"over": 0.30},                              # commonest value's share above the worst month of the reference
    "stopped": {"share": 0.90},
    "burst": {"over": 0.25, "sites": 3},                  # everywhere at once
    "sparse": {"over": 0.25, "months": 3, "z": 1.0},      # one site: only if those without a value are as ill as the others
    "decoupled": {"share": 0.25, "months": 3, "z": 4.5},             # correlation with the other features, as a share of the usual one
    "outside": {"share": 0.12},                           # values that nobody had in the reference year
    "spread": {"now": 1.0, "two": 0.62},                   # |ln| of the quartiles' distance to the usual one
    "codes": {"icd10": 0.40, "unknown": 0.30, "stuck": 0.75},
    "release": {"rank": 0.965, "level": 0.40},
    "level": {"llr": 7.0, "log": 0.17, "site_llr": 7.5, "site_log": 0.30, "months": 6, "rank_z": 2.5},
    "rank": {"drop": 0.045, "z": 3.0, "months": (2, 3, 4)},
    "shock": {"volume": 0.87},
}
CAPS = {"data_fix": 8, "recalibrate": 4, "retrain": 2, "rollback": 3}
MIN_EVENTS = 33
ACCEPT = [("o_e_error", 0.0), ("net_benefit", -0.5)]
