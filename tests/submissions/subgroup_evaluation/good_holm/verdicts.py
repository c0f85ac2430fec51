"""Who is off, and why: every cell against everybody else, Holm's correction, the clearest first, then all in one model.

Each round looks at what the problems found so far leave unexplained, so that a neighbour, a whole or a part of a group
that is off is not blamed with it.
"""

import numpy as np
import pandas as pd
from measures import BLOCKS, clustered, jackknife, odds
from scipy.stats import chi2, norm
from statsmodels.stats.multitest import multipletests

# Family-wise, of the levels, of the pairs and of the days on which a site may change.
ALPHA = {1: 0.1, 2: 0.05, "day": 0.05}
LEAST_EVENTS = 15


def holm(p, alpha):
    """(k,) bool: which of the tests Holm's procedure rejects."""
    return multipletests(p, alpha=alpha, method="holm")[0] if len(p) else np.zeros(0, bool)


class Evidence:
    """Arrays of the kept encounters, and which of them belong to each cell."""

    def __init__(self, stays, cells, masks, card):
        self.score, self.y, self.need = (stays[c].to_numpy(float) for c in ("score", "readmit30", "need"))
        self.x, self.person = odds(self.score), pd.factorize(stays["person"])[0]
        self.day, self.cells, self.masks = stays["index_date"].to_numpy(), cells, masks
        self.material, self.line = np.log(card["material"]["ratio"]), card["threshold"]
        self.tenth = np.searchsorted(np.quantile(self.score, np.arange(0.1, 0.95, 0.1)), self.score, side="right")

    def number(self, cell):
        return self.cells.index(cell)


# ---- faults at a site ----------------------------------------------------------------------------


def faults(ev):
    """{number of the site's cell: first day}: where level or spread of the risks at the same score is another since."""
    scans = [scan(ev, i) for i, cell in enumerate(ev.cells) if list(cell) == ["site"]]
    days = pd.concat([s for s in scans if len(s)] or [pd.DataFrame(columns=["cell", "day", "p", "much"])])
    days = days[holm(days["p"].to_numpy(float), ALPHA["day"]) & (days["much"] == 1)]
    return {i: part.loc[part["p"].idxmin(), "day"] for i, part in days.reset_index(drop=True).groupby("cell")}


def scan(ev, i):
    """A row per week: p of both terms "since that day" being 0, and whether they are material."""
    at = np.flatnonzero(ev.masks[i])
    if not len(at):
        return []
    x, y, person, day = ev.x[at] - ev.x[at].mean(), ev.y[at], ev.person[at], ev.day[at]
    weeks = pd.date_range(day.min(), day.max(), freq="7D")[1:].to_numpy()
    rows = []
    for week in weeks:
        since = (day >= week).astype(float)
        if min(y @ since, y @ (1 - since)) < 2 * LEAST_EVENTS:
            continue
        # Scores that are all alike since then have no slope to be tested, and rank nobody.
        alike = np.ptp(x[since == 1]) < 1e-9
        design = np.column_stack([np.ones(len(x)), x, since, since * x][: 3 if alike else 4])
        terms, covariance, _ = clustered(y, design, None, person)
        if not np.isfinite(terms).all():
            continue
        wald = terms[2:] @ np.linalg.solve(covariance[2:, 2:], terms[2:])
        much = abs(terms[2]) >= 2 * ev.material or alike or abs(terms[3]) >= 0.3 * abs(terms[1])
        rows.append({"cell": i, "day": week, "p": chi2.sf(wald, len(terms) - 2), "much": int(much)})
    return pd.DataFrame(rows)


# ---- gaps ----------------------------------------------------------------------------------------


def gaps(ev, seen, expected, use):
    """A row per cell that can be tested: log ratio of seen over expected to everybody else's, z and p."""
    rows, total = [], (seen[use].sum(), expected[use].sum())
    for i, (cell, mask) in enumerate(zip(ev.cells, ev.masks, strict=True)):
        inside = mask & use
        o, e = seen[inside].sum(), expected[inside].sum()
        others = total[0] - o, total[1] - e
        if not cell or min(o, e, *others) < LEAST_EVENTS:
            continue
        influence = np.where(inside, seen / o - expected / e, expected / others[1] - seen / others[0]) * use
        error = np.sqrt((np.bincount(ev.person, influence) ** 2).sum())
        gap = np.log(o / e * others[1] / others[0])
        rows.append({"cell": i, "axes": len(cell), "gap": gap, "own": np.log(o / e), "z": gap / error})
    found = pd.DataFrame(rows, columns=["cell", "axes", "gap", "own", "z"])
    return found.assign(p=2 * norm.sf(found["z"].abs()))


def peel(ev, seen, base, offset, use, known=()):
    """{cell: term}: the gaps that Holm lets through one after the other; terms of one model of all of them."""
    chosen, family = [], {1: 1, 2: 1}
    for _ in range(12):
        *_, expected = clustered(seen[use], with_cells(ev, base, chosen)[use], offset[use], None)
        whole = np.zeros(len(seen))
        whole[use] = expected
        table = gaps(ev, np.where(use, seen, 0), whole, use)
        table = table[~table["cell"].isin([*known, *chosen])]
        family = {k: max(family[k], (table["axes"] == k).sum()) for k in family}
        passed = pd.concat([part[holm(part["p"], ALPHA[k])] for k, part in table.groupby("axes")])
        passed = passed[passed["gap"].abs() >= ev.material]
        if passed.empty:
            break
        best = clearest(ev, passed)
        chosen.append(whole_or_part(ev, seen, base, offset, use, chosen, best, table))
    return prune(ev, seen, base, offset, use, chosen, family)


def clearest(ev, passed):
    """The cell furthest from chance; of levels of one axis that are as clear, the one that itself is off."""
    best = passed.loc[passed["z"].abs().idxmax()]
    near = passed[
        (passed["z"].abs() > 0.85 * abs(best["z"]))
        & passed["cell"].map(lambda i: set(ev.cells[i]) == set(ev.cells[int(best["cell"])]))
    ]
    return int(near.loc[near["own"].abs().idxmax(), "cell"])


def with_cells(ev, base, chosen):
    return np.column_stack([base, *(ev.masks[i] for i in chosen)]).astype(float)


def terms_of(ev, seen, base, offset, use, chosen):
    """(terms, errors) of the chosen cells."""
    terms, covariance, _ = clustered(seen[use], with_cells(ev, base, chosen)[use], offset[use], ev.person[use])
    k = len(chosen)
    return terms[-k:], np.sqrt(np.diag(covariance)[-k:])


def whole_or_part(ev, seen, base, offset, use, chosen, best, table):
    """A pair gives way to its level if the rest of that is off as well; a level to a pair if the rest is not.

    So does a pair to a level that is as clear, unless the rest of that is clearly another matter: the rest may be few.
    """
    cell, z, gap = ev.cells[best], table.set_index("cell")["z"], table.set_index("cell")["gap"]
    if len(cell) == 1:
        pairs = [i for i in z.index if len(ev.cells[i]) == 2 and cell.items() <= ev.cells[i].items()]
        options = [(best, i) for i in pairs if abs(z[i]) > 0.75 * abs(z[best]) and z[i] * z[best] > 0]
    else:
        options = [(ev.number({a: b}), best) for a, b in cell.items() if ev.number({a: b}) not in chosen]
        options = [(whole, part) for whole, part in options if whole in z.index]
    verdicts = []
    for whole, part in options:
        terms, errors = terms_of(ev, seen, base, offset, use, [*chosen, whole, part])
        (rest, more), (e0, e1) = terms[-2:], errors[-2:]
        if not np.isfinite([rest, more, e0, e1]).all():
            continue
        off = abs(rest) >= 0.8 * ev.material and abs(rest / e0) > 1.96 and rest * (rest + more) > 0
        if len(cell) == 1 and not off and abs(more / e1) > 3:
            verdicts.append((abs(z[part]), part))
        alike = abs(more / e1) < 2.5 and z[whole] * z[part] > 0 and abs(z[whole]) > 0.85 * abs(z[part])
        alike = alike and abs(gap[whole]) >= ev.material
        if len(cell) == 2 and (alike or off and abs(rest) > 0.5 * abs(rest + more)):
            verdicts.append((abs(z[whole]), whole))
    return max(verdicts)[1] if verdicts else best


def prune(ev, seen, base, offset, use, chosen, family):
    """The least certain goes until each stands by itself: material, and clear enough for the first step of Holm."""
    while chosen:
        terms, errors = terms_of(ev, seen, base, offset, use, chosen)
        doubt = 2 * norm.sf(np.abs(terms / errors)) * [family[k] / ALPHA[k] for k in (len(ev.cells[i]) for i in chosen)]
        doubt = np.where(np.isfinite(doubt) & (np.abs(terms) >= ev.material), doubt, np.inf)
        # What entered by Holm on log O/E may be a little short of it by Wald.
        if doubt.max() <= 2:
            return dict(zip(chosen, terms, strict=True))
        chosen = [c for k, c in enumerate(chosen) if k != doubt.argmax()]
    return {}


def judge(ev):
    """(faults, model, label, sound): whose data (since when), score or label (by what shift) is off; sound stays."""
    begun = faults(ev)
    sound = np.ones(len(ev.y), bool)
    for i, day in begun.items():
        sound &= ~(ev.masks[i] & (ev.day >= day))
    one = np.ones((len(ev.y), 1))
    model = peel(ev, ev.y, one, ev.x, sound)
    known = sound & np.isfinite(ev.need)
    need = np.nan_to_num(ev.need)
    # Need by the score as it should be: what the model misreads is allowed for.
    mended = ev.x + sum(shift * ev.masks[i] for i, shift in model.items())
    label = peel(ev, need, np.column_stack([one, mended]), 0 * mended, known, model)
    for i in list(label):
        seen, _ = terms_of(ev, ev.y, one, mended, sound, [i])
        if seen[0] * label[i] > 0 and abs(seen[0]) > 0.5 * abs(label[i]):
            # The recorded outcomes say it, too: not the label, but the score.
            model[i] = seen[0]
            del label[i]
    return begun, model, label, sound


# ---- sizes by the brief's definitions --------------------------------------------------------------


def size(ev, i, metric):
    """(size, lo, hi) against everybody else; blocks of patients are left out in turn."""
    block = np.random.default_rng(i).permutation(ev.person.max() + 1)[ev.person] % BLOCKS
    by = {"o_e": o_e, "need_ratio": need_ratio, "sensitivity": sensitivity}[metric]
    est = by(ev, ev.masks[i], np.ones(len(ev.y), bool))
    without = pd.Series([by(ev, ev.masks[i], block != g) for g in range(BLOCKS)])
    return (est, *jackknife(est, without, "plain" if metric == "sensitivity" else "ratio", len(ev.y)))


def o_e(ev, inside, use):
    a, b = inside & use, ~inside & use
    return ev.y[a].sum() / ev.score[a].sum() * ev.score[b].sum() / ev.y[b].sum()


def need_ratio(ev, inside, use):
    use = use & np.isfinite(ev.need)
    table = pd.DataFrame({"tenth": ev.tenth, "inside": inside, "need": ev.need})[use]
    sums = table.groupby(["inside", "tenth"])["need"].agg(["sum", "mean", "size"])
    own, others = sums.loc[True], sums.loc[False]
    return own["sum"].sum() / (own["size"] * others["mean"]).sum()


def sensitivity(ev, inside, use):
    hit = (ev.score >= ev.line) * ev.y
    a, b = inside & use, ~inside & use
    return hit[a].sum() / ev.y[a].sum() - hit[b].sum() / ev.y[b].sum()
