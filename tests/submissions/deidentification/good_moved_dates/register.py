"""How many people of the public register fit a released patient, and which cells to blank so that nobody stands out."""

import numpy as np
import pandas as pd

MEAN, SINGLE = 0.05, 0.0025
MARGIN = 0.6  # aim below the limits: the register is only estimated


def safe_cells(demo, zips, patients, as_of):
    """demo with single cells of race, language, birth_date blanked or zip set to 000."""
    demo = demo.reset_index(drop=True).copy()
    years = pd.to_numeric(patients["birth_date"].str[:4], errors="coerce")
    size = zips["population"].astype(float).groupby(zips["zip"].str[:3]).sum()
    total, n = float(size.sum()), len(demo)
    # shares: years smoothed over a band, race and language by area with a pull to the whole region
    lo, hi = int(years.min()), int(years.max())
    counts = years.value_counts().reindex(range(lo, hi + 1), fill_value=0)
    smooth = counts.rolling(11, center=True, min_periods=1).mean()
    year_share = (smooth / smooth.sum()).to_dict()
    old = float(smooth[smooth.index <= as_of.year - 90].sum() / smooth.sum())
    truth = pd.DataFrame({"race": patients["race"], "language": patients["language"], "z": patients["zip"].str[:3]}).reset_index(drop=True)
    both, race, lang = (truth.groupby(c).size() / n for c in (["race", "language"], ["race"], ["language"]))
    pair = {(r, l): both.get((r, l), 0.0) for r in list(race.index) + [""] for l in list(lang.index) + [""]}
    for r in race.index:
        pair[r, ""] = race[r]
    for l in lang.index:
        pair["", l] = lang[l]
    pair["", ""] = 1.0
    small = float(size[size <= 20000].sum()) if (size <= 20000).any() else total

    def expected(birth, zip3, r, l):
        people = small if zip3 == "000" else total if not zip3 else float(size.get(zip3, small))
        share = old if birth == "90+" else 1.0 if not birth else year_share.get(int(birth), 1 / 80)
        return people * share * 0.5 * max(pair.get((r, l), 0.0), 0.0)

    cost = {"language": 1.0, "race": 1.2, "zip": 1.4, "birth_date": 2.0}
    options = [[], ["language"], ["race"], ["language", "race"], ["zip"], ["language", "zip"], ["race", "zip"], ["birth_date"], ["language", "race", "zip"], ["race", "birth_date"], ["language", "race", "birth_date"]]
    options.sort(key=lambda o: sum(cost[c] for c in o))

    def risk(k):  # mean of 1/K for K = 1 + Poisson(k)
        return (1 - np.exp(-k)) / k if k > 1e-9 else 1.0

    rows = demo.to_dict("records")
    plan = []
    for row in rows:
        tries = []
        for o in options:
            cell = {c: ("000" if c == "zip" else "") if c in o else row[c] for c in ("birth_date", "zip", "race", "language")}
            k = expected(cell["birth_date"], cell["zip"], cell["race"], cell["language"])
            tries.append((sum(cost[c] for c in o), risk(k), np.exp(-k), o))
        plan.append(tries)
    at = [0] * len(rows)
    risks = np.array([p[0][1] for p in plan])
    single = np.array([p[0][2] for p in plan])
    stuck = np.zeros(len(rows), bool)
    while len(rows) and not stuck.all() and (risks.mean() > MEAN * MARGIN or single.mean() > SINGLE * MARGIN):
        best, gain = None, 0.0
        worst = [int(np.argmax(np.where(stuck, -1, risks + 10 * single)))]
        for i in worst:
            for j, (c, r, s, _) in enumerate(plan[i]):
                if c > plan[i][at[i]][0]:
                    g = (risks[i] - r + 5 * (single[i] - s)) / (c - plan[i][at[i]][0])
                    if g > gain:
                        best, gain = (i, j), g
        if best is None:
            stuck[worst[0]] = True
            continue
        i, j = best
        at[i], risks[i], single[i] = j, plan[i][j][1], plan[i][j][2]
    for i, row in enumerate(rows):
        for c in plan[i][at[i]][3]:
            demo.at[i, c] = "000" if c == "zip" else ""
    return demo
