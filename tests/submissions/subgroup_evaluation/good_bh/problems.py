"""Which groups somebody must act on, and why: greedy search on what is left after the problems already found."""

import numpy as np
import pandas as pd
from measure import fit, logit
from scipy.stats import norm

Q = 0.05  # Benjamini-Hochberg


def expit(x):
    return 1 / (1 + np.exp(-x))


def cluster_z(u, owner):
    """Sum of u over its standard error when owners are drawn."""
    v = (np.bincount(owner, u) ** 2).sum()
    return u.sum() / np.sqrt(v) if v > 0 else 0.0


def compare(y, e, inside, owner):
    """(ratio against everybody else, z), given expected e."""
    o, eo = y[inside].sum(), e[inside].sum()
    O, E = y[~inside].sum(), e[~inside].sum()
    if min(o + eo, O, E, eo) <= 0 or o + eo < 20:
        return np.nan, 0.0
    rest = O / E
    u = np.where(inside, y - e * rest, -(y - e * rest) * (eo / E))
    z0 = cluster_z(u, owner)
    own = o / eo
    if o > 0:  # mean of the score test (shy of large ratios) and Wald's on the log scale (shy of small ones)
        w = np.where(inside, (y - e * own) / o, -(y - e * rest) / O)
        v = (np.bincount(owner, w, minlength=1) ** 2).sum()
        z1 = np.log(own / rest) / np.sqrt(v) if v > 0 else 0.0
        z0 = (z0 + z1) / 2
    return own / rest, z0


def fault_day(t, p, site_mask, least=120, step=7):
    """(|z|, day, kind) of the strongest change of calibration within the mask."""
    part = np.flatnonzero(site_mask)
    y, e, x = t["y"].to_numpy()[part], p[part], logit(p[part])
    own, days = t["owner"].to_numpy()[part], t["index_date"].to_numpy()[part]
    best = (0.0, None, None)
    for d in pd.date_range(days.min(), days.max(), freq=f"{step}D")[1:]:
        after = days >= np.datetime64(d)
        if min(after.sum(), (~after).sum()) < least:
            continue
        r = y - e
        xc = x - x.mean()
        for kind, v in (("level", r), ("rank", r * xc)):
            a, b = v[after], v[~after]
            va = np.bincount(own[after], a)
            vb = np.bincount(own[~after], b)
            se = np.sqrt((va**2).sum() / len(a) ** 2 + (vb**2).sum() / len(b) ** 2)
            z = (a.mean() - b.mean()) / se if se > 0 else 0.0
            if abs(z) > abs(best[0]):
                best = (z, d, kind)
    return best


def search(t, cells, masks, card, say=lambda *a: None):
    """[(cell, metric, cause, extra)] of what must be mended."""
    material = card["material"]["ratio"]
    y, need = t["y"].to_numpy(float), t["need"].to_numpy(float)
    owner, s = t["owner"].to_numpy(), t["score"].to_numpy()
    found, use = [], np.ones(len(t), bool)
    adj = logit(s)
    a = fit(adj, y, np.ones((len(y), 1)), True)[0][0]
    # 1 faults that begin on a day at a site
    for level in card["levels"]["site"]:
        m = (t["site"] == level).to_numpy()
        if m.sum() < 300:
            continue
        z, day, kind = fault_day(t, expit(adj + a), m)
        say("fault", level, round(z, 2), day, kind)
        if abs(z) < 4.2:
            continue
        after = m & (t["index_date"] >= day).to_numpy()
        oe = (y[after].sum() / s[after].sum()) / (y[~m].sum() / s[~m].sum())
        if kind == "level" and 1 / material < oe < material:
            continue
        off = not 1 / material < oe < material
        found.append(({"site": level}, "o_e" if kind == "level" or off else "slope", "data_quality", {"day": str(day.date()), "after": after}))
        use &= ~after
    # 2 calibration

    def run(metric, adj, taken):
        yy = y if metric == "o_e" else need
        ok = use & np.isfinite(yy)
        i = np.flatnonzero(ok)
        yy, own = yy[i], owner[i]
        mult = np.ones(len(i))
        local = adj[i].copy()
        out = []
        for _ in range(12):
            if metric == "o_e":
                e = expit(local)
            else:
                p = expit(local)
                tenth = np.searchsorted(np.quantile(p, np.arange(0.1, 0.95, 0.1)), p, side="right")
                clean = mult == 1
                rate = np.bincount(tenth[clean], yy[clean], minlength=10) / np.maximum(np.bincount(tenth[clean], minlength=10), 1)
                e = np.maximum(rate[tenth], 1e-6) * mult
            res = []
            for c, m in zip(cells, masks):
                if not c:
                    continue
                inside = m[i]
                if inside.sum() < 40 or (~inside).sum() < 40:
                    continue
                r, z = compare(yy, e, inside, own)
                res.append((c, m, r, z))
            p = 2 * norm.sf(np.abs([x[3] for x in res]))
            order = np.argsort(p)
            passed = p[order] <= Q * np.arange(1, len(p) + 1) / (2 * len(p))
            k = np.flatnonzero(passed).max() + 1 if passed.any() else 0
            cand = [res[j] for j in order[:k] if not (1 / material < res[j][2] < material) and key(res[j][0]) not in taken]
            say(metric, [(list(x[0].values()), round(x[2], 2), round(x[3], 1)) for x in cand[:4]], "| next", [(list(res[j][0].values()), round(res[j][2], 2), round(res[j][3], 1)) for j in order[:3]])
            if not cand:
                break
            c, m, r, z = refine(cand[0], res, i, yy, e, own, material)
            taken.add(key(c))
            inside = m[i]
            out.append((c, r, z))
            if metric == "o_e":
                rest = ~inside
                d = fit(local[inside], yy[inside], np.ones((inside.sum(), 1)), True)[0][0] - fit(local[rest], yy[rest], np.ones((rest.sum(), 1)), True)[0][0]
                local[inside] += d
                adj[m] += d
            else:
                mult[inside] *= r if abs(r - 1) > 1e-6 else 1.001
        return out

    def refine(best, res, i, yy, e, own, material):
        c, m, r, z = best
        look = {key(x[0]): x for x in res}
        if len(c) == 2:  # a part: the whole is taken unless its rest is clearly less off
            wholes = [look[k] for axis in c if (k := key({axis: c[axis]})) in look]
            for whole in sorted(wholes, key=lambda x: -abs(x[3])):
                rest = (whole[1] & ~m)[i]
                outside = ~m[i]
                rr, zz = compare(yy[outside], e[outside], rest[outside], own[outside])
                off = (rr - 1) * (r - 1) > 0 and abs(np.log(rr)) > 0.8 * np.log(material) and abs(zz) > 1.3 and abs(np.log(rr)) > 0.4 * abs(np.log(r))
                as_clear = whole[3] * z > 0 and abs(whole[3]) > 0.85 * abs(z) and not 1 / material < whole[2] < material
                if off or (as_clear and abs(differs(m, whole[1], i, yy, e, own)) < 2.5):
                    return whole
        else:  # a whole: is it only a part?
            (axis,) = c
            for part in sorted((x for x in res if len(x[0]) == 2 and x[0].get(axis) == c[axis]), key=lambda x: -abs(x[3])):
                if abs(part[3]) < 3.5 or (part[2] - 1) * (r - 1) < 0:
                    continue
                outside = ~part[1][i]
                rest = (m & ~part[1])[i]
                rr, zz = compare(yy[outside], e[outside], rest[outside], own[outside])
                if abs(zz) < 2 and abs(np.log(rr)) < 0.35 * abs(np.log(part[2])) and abs(differs(part[1], m, i, yy, e, own)) > 2.5:
                    return part
        return best

    def differs(part, whole, i, yy, e, own):
        """z of the part against the rest of its whole."""
        w = whole[i]
        return compare(yy[w], e[w], part[i][w], own[w])[1]

    taken = set()
    oe = run("o_e", adj, taken)
    for c, r, z in oe:
        extra, cause = {}, "miscalibration"
        if "site" in c:
            m = masks[[key(x) for x in cells].index(key(c))]
            zz, day, kind = fault_day(t, expit(logit(s) + a), m, least=60)
            if abs(zz) > 3.3:
                cause, extra = "data_quality", {"day": str(day.date())}
        found.append((c, "o_e", cause, extra | {"adjusted": r, "z": z}))
    nr = run("need_ratio", adj, taken)
    p, ok = expit(adj), use
    for c, r, z in nr:
        # Do the recorded outcomes tell the same story? Then the score is off, not the label.
        inside = masks[[key(x) for x in cells].index(key(c))]
        ro, zo = compare(y[ok], p[ok], inside[ok], owner[ok])
        say("label or score", c, round(r, 2), "o_e", round(ro, 2), round(zo, 1))
        seen = ok & np.isfinite(need)
        a, b = inside & seen, ~inside & seen
        gap = np.log(max(need[a].sum(), 1) / max(y[a].sum(), 1)) - np.log(max(need[b].sum(), 1) / max(y[b].sum(), 1))
        nd = np.nan_to_num(need)
        w = a * (nd / max(nd[a].sum(), 1) - y / max(y[a].sum(), 1)) - b * (nd / max(nd[b].sum(), 1) - y / max(y[b].sum(), 1))
        gap_z = gap / np.sqrt((np.bincount(owner, w) ** 2).sum())
        same = np.isfinite(ro) and np.log(ro) * np.sign(np.log(r)) > 0.5 * abs(np.log(r))
        say("gap", round(gap, 2), round(gap_z, 1))
        if same or abs(gap_z) < 2.5 or gap * np.log(r) < 0:
            found.append((c, "o_e", "miscalibration", {"adjusted": ro, "z": zo}))
        else:
            found.append((c, "need_ratio", "proxy_label", {"adjusted": r, "z": z}))
    return found


def key(by):
    return frozenset(by.items())
