"""Findings: what is off at the same score, since when, why, and what is done about it."""

from types import SimpleNamespace

import numpy as np
from helpers import logit
from measure import member, metrics, mitigate, threshold
from scipy.sparse import csr_array
from scipy.special import expit

LEAST_Z = 3.5  # beyond chance among some 200 looks
LEAST_Z_INSIDE = 4.2  # a part of a group that is flagged already
LEAST_Z_BREAK = 4.0  # a break in time, over sites and days
LEAST_Z_SLOPE = 4.5
PART_COSTS = 3.0  # a part must explain so much more than the group

def judge(kept, everything, card, draws, visible):
    """(findings, threshold, mitigation)"""
    d = arrays(kept, draws)
    cells = [by for by in visible if by]
    g = np.column_stack([member(kept, by) for by in cells]).astype(float)
    limit = np.log(card["material"]["ratio"])
    sound = kept["late"].to_numpy() <= 0.1 if (kept["late"] <= 0.1).mean() > 0.5 else np.ones(len(kept), bool)
    broken, weak = breaks(d, sound)
    good = sound.copy()
    for site, start, _ in broken:
        good &= ~((d.site == site) & (d.day >= start - 7))
    findings = []

    def add(by, metric, tier, cause, action):
        inside = member(kept, by)
        est = float(size(d, metric, inside, np.ones((1, len(d.y)), np.float32), card)[0])
        again = size(d, metric, inside, d.draws, card)
        again = again[np.isfinite(again)]
        lo, hi = (round(float(v), 4) for v in np.quantile(again, [0.025, 0.975])) if len(again) else (None, None)
        higher = est > (1 if metric in ("o_e", "need_ratio") else 0)
        findings.append({"by": by, "metric": metric, "direction": "higher" if higher else "lower", "size": round(est, 4) if np.isfinite(est) else None,
                         "lo": lo, "hi": hi, "tier": tier, "cause": cause, "action": action})  # fmt: skip

    one = np.ones((1, len(d.y)), np.float32)
    for site, start, kind in broken:
        inside = d.site == site
        sizes = {m: size(d, m, inside, one, card)[0] for m in ("o_e", "need_ratio", "slope", "auroc")}
        shows = [m for m in ("o_e", "need_ratio") if abs(np.log(max(sizes[m], 1e-9))) >= limit]
        if kind == "slope":
            shows += [m for m in ("auroc", "slope") if abs(sizes[m]) >= card["material"]["points"]]
        text = f"Outcomes and scores part at this site from about day {start} of the year on: mend the feed at its source."
        add({"site": site}, shows[0] if shows else "o_e", "act" if shows else "watch", "data_quality", text)
    flagged = [f["by"] for f in findings]

    part = SimpleNamespace(**{k: v[good] for k, v in vars(d).items() if k != "draws"})
    part.gather = owners(part.patient)
    gg, x = g[good], (part.x - part.x.mean()) / part.x.std()
    base = np.column_stack([np.ones(len(x)), x, x**2, x**3])
    known = ~np.isnan(part.need)
    need = SimpleNamespace(y=part.need[known], s=part.s[known], gather=owners(part.patient[known]))
    free = [i for i, by in enumerate(cells) if by not in flagged]
    chosen = select(part, base, gg, cells, free, limit, False)
    for i in chosen:
        by = cells[i]
        rest = [j for j in chosen if j != i]
        ratio = adjusted(part.y, np.hstack([base, gg[:, rest]]), gg[:, i])
        needed = adjusted(need.y, np.hstack([base, gg[:, rest]])[known], gg[known, i])
        cause = "miscalibration"
        if list(by) == ["site"] and (weak.get(by["site"], 0) >= 3.2 or abs(needed) < 0.3 * abs(ratio)):
            cause = "data_quality"
        elif ratio < 0 and abs(needed) < 0.3 * abs(ratio):
            cause = "proxy_label"
        add(by, "o_e", "act", cause, ACTIONS[cause])
    free = [i for i in free if i not in chosen]
    hidden = select(need, np.hstack([base, gg[:, chosen]])[known], gg[known], cells, free, limit, True)
    for i in hidden:
        rest = [j for j in [*chosen, *hidden] if j != i]
        label = adjusted(part.y, np.hstack([base, gg[:, rest]]), gg[:, i])
        needed = adjusted(need.y, np.hstack([base, gg[:, rest]])[known], gg[known, i])
        cause = "miscalibration" if label >= 0.5 * needed else "proxy_label"
        add(cells[i], "need_ratio", "act", cause, ACTIONS[cause])
    taken = [f["by"] for f in findings]
    for i in slopes(part, np.hstack([base, gg[:, chosen]]), gg, cells, taken):
        inside = g[:, i] > 0
        if abs(size(d, "slope", inside, one, card)[0]) >= max(card["material"]["points"], 0.2):
            add(cells[i], "slope", "act", "miscalibration", ACTIONS["miscalibration"])
            break
    taken = [f["by"] for f in findings]
    for by in cells:
        if len(by) == 1 and by not in taken:
            gap = size(d, "sensitivity", member(kept, by), one, card)[0]
            if np.isfinite(gap) and abs(gap) >= card["material"]["points"]:
                add(by, "sensitivity", "watch", "case_mix", ACTIONS["case_mix"])
    steps = mitigate(part, kept[good], findings, broken)
    return findings, threshold(everything, card, steps, broken, kept["index_date"].min()), steps or [
        {"type": "none", "group_by": [], "params": {}, "justification": "Nothing material was found."}
    ]  # fmt: skip

ACTIONS = {
    "miscalibration": "Recalibrate the score for this group on local outcomes, then refit the model with its drivers.",
    "proxy_label": "Replace the paid claim by reviewed need as the label for this group, score need until the model is refitted.",
    "data_quality": "Find and mend the fault in this site's feed; do not recalibrate on what it wrote.",
    "case_mix": "None: these patients are more or less ill, at the same score they fare like others. No threshold of their own.",
}

def arrays(kept, draws):
    s = kept["score"].to_numpy(float)
    day = (kept["index_date"] - kept["index_date"].min()).dt.days.fillna(0).to_numpy()
    return SimpleNamespace(s=s, y=kept["readmit30"].to_numpy(float), need=kept["need"].to_numpy(float), x=logit(s), day=day,
                           site=kept["site"].to_numpy(), month=kept["index_date"].dt.month.fillna(1).to_numpy(),
                           patient=kept["patient"].to_numpy(), draws=draws)  # fmt: skip

def size(d, metric, inside, weight, card):
    """(draws,) the finding's size: a ratio for o_e and need_ratio, else a difference."""
    mine, others = inside.astype(np.float32), (~inside).astype(np.float32)
    with np.errstate(all="ignore"):
        if metric == "o_e":
            return (weight @ (d.y * mine)) / (weight @ (d.s * mine)) / ((weight @ (d.y * others)) / (weight @ (d.s * others)))
        if metric == "need_ratio":
            tenth = np.searchsorted(np.quantile(d.s, np.arange(1, 10) / 10), d.s, side="right")
            known = ~np.isnan(d.need)
            need = np.nan_to_num(d.need)
            place = np.eye(10, dtype=np.float32)[tenth] * known[:, None]
            rate = (weight @ (place * (others * need)[:, None])) / (weight @ (place * others[:, None]))
            return (weight @ (mine * need)) / ((weight @ (place * mine[:, None])) * np.nan_to_num(rate)).sum(1)
    fit, t = metric in ("slope", "intercept"), card["threshold"]
    pair = [metrics(d.s[m], d.y[m], weight[:, m], t, fit)[metric] for m in (inside, ~inside)]
    return pair[0] - pair[1]

def owners(patient):
    _, owner = np.unique(patient, return_inverse=True)
    return csr_array((np.ones(len(owner)), (owner, np.arange(len(owner)))))

def fit(z, y):
    """Coefficients of a logistic regression, without penalty but for what keeps it solvable."""
    beta = np.zeros(z.shape[1])
    beta[0] = logit(y.mean())
    for _ in range(30):
        p = expit(np.clip(z @ beta, -30, 30))
        step = np.linalg.lstsq((z * (p * (1 - p))[:, None]).T @ z + 1e-6 * np.eye(len(beta)), z.T @ (y - p), rcond=None)[0]
        beta = beta + np.clip(step, -3, 3)
        if np.abs(step).max() < 1e-7:
            break
    return beta

def score_tests(z, y, g, gather):
    """(columns of g,) the score test of each, given z, with patients as the units."""
    p = expit(np.clip(z @ fit(z, y), -30, 30))
    w, r = p * (1 - p), y - p
    zw = z * w[:, None]
    h = g - z @ np.linalg.lstsq(zw.T @ z, zw.T @ g, rcond=None)[0]
    robust, model = ((gather @ (h * r[:, None])) ** 2).sum(0), w @ (h * h)
    return np.where(model >= 4, (r @ h) / np.sqrt(np.maximum(np.maximum(robust, model), 1e-9)), 0)

def adjusted(y, z, column):
    """Log of observed over what others of the same score (and of the same flagged groups) have."""
    both = np.column_stack([z, column])
    beta = fit(both, y)
    inside = column > 0
    expected = expit(both[inside] @ beta - beta[-1]).sum()
    return float(np.log(max(y[inside].sum(), 0.5) / max(expected, 1e-9)))

def select(d, base, g, cells, free, limit, only_higher):
    """Cells that are off, the one that explains most first; each is judged given those before it."""
    chosen, banned = [], set()
    for _ in range(10):
        z = score_tests(np.hstack([base, g[:, chosen]]), d.y, g, d.gather)
        rank = z**2 - PART_COSTS * np.array([len(by) - 1 for by in cells])
        pick = None
        for i in np.argsort(-rank)[:25]:
            inside_flagged = any(cells[j].items() <= cells[i].items() for j in chosen)
            if i not in free or i in banned or i in chosen or abs(z[i]) < (LEAST_Z_INSIDE if inside_flagged else LEAST_Z):
                continue
            if only_higher and z[i] < 0:
                continue
            inside = g[:, i] > 0
            mine, others = (np.log(max(d.y[m].sum(), 0.5) / d.s[m].sum()) for m in (inside, ~inside))
            # Of two halves, the one that is off is the one that is further from what the score says.
            if not only_higher and inside.mean() > 0.4 and abs(mine) < abs(others):
                continue
            change = adjusted(d.y, np.hstack([base, g[:, chosen]]), g[:, i])
            if abs(change) < limit or (mine - others) * change < 0 or abs(mine - others) < 0.6 * limit:
                continue
            pick = i
            break
        if pick is None:
            break
        chosen.append(pick)
        for j in list(chosen[:-1]):
            rest = [k for k in chosen if k != j]
            z0 = np.hstack([base, g[:, rest]])
            if abs(score_tests(z0, d.y, g[:, [j]], d.gather)[0]) < 3.2 or abs(adjusted(d.y, z0, g[:, j])) < 0.9 * limit:
                chosen.remove(j)
                banned.add(j)
    return chosen

def slopes(d, z, g, cells, taken):
    """Cells in which the score says less or more than elsewhere, strongest first."""
    p = expit(np.clip(z @ fit(z, d.y), -30, 30))
    w = (p * (1 - p))[:, None]
    centred = g * (d.x[:, None] - (w * g * d.x[:, None]).sum(0) / np.maximum((w * g).sum(0), 1e-9))
    test = np.abs(score_tests(z, d.y, centred, d.gather))
    apart = [not any(by.items() <= t.items() or t.items() <= by.items() for t in taken) for by in cells]
    return [i for i in np.argsort(-test) if test[i] >= LEAST_Z_SLOPE and apart[i]]

def breaks(d, sound):
    """([(site, first day, "level" or "slope")], {site: strongest break that was left})"""
    found, sites = [], sorted(set(d.site))
    use = sound.copy()
    weak = {}
    for _ in range(len(sites) if len(sites) > 1 else 0):
        x = (d.x[use] - d.x[use].mean()) / d.x[use].std()
        here = (d.site[use][:, None] == np.array(sites)).astype(float)
        months = (d.month[use][:, None] == np.unique(d.month[use])[1:]).astype(float)
        z = np.column_stack([np.ones(len(x)), x, x**2, x**3, here[:, 1:], here[:, 1:] * x[:, None], months])
        gather, best, weak = owners(d.patient[use]), (0, None, None, None), {}
        for k, site in enumerate(sites):
            day = d.day[use][here[:, k] > 0]
            grid = [t for t in range(14, int(d.day.max()) - 6, 7) if min((day < t).sum(), (day >= t).sum()) >= 100]
            if not grid or any(site == f[0] for f in found):
                continue
            after = here[:, [k]] * (d.day[use][:, None] >= np.array(grid))
            for kind, columns in (("level", after), ("slope", after * x[:, None])):
                test = np.abs(score_tests(z, d.y[use], columns, gather))
                i = int(test.argmax())
                weak[site] = max(weak.get(site, 0), test[i])
                if test[i] > best[0]:
                    best = (test[i], site, grid[i], kind)
        if best[0] < LEAST_Z_BREAK:
            break
        _, site, start, kind = best
        if len(sites) == 2 and kind == "level":

            def moved(place, start=start):
                m = [use & (d.site == place) & late for late in (d.day < start, d.day >= start)]
                return abs(np.log(max(d.y[m[1]].sum(), 0.5) / d.s[m[1]].sum() / (max(d.y[m[0]].sum(), 0.5) / d.s[m[0]].sum())))

            site = max(sites, key=moved)
        found.append((site, start, kind))
        use &= ~((d.site == site) & (d.day >= start - 7))
    return found, weak
