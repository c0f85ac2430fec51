"""One model for all groups at once: their terms are tested together, so that nobody is blamed for a neighbour's gap."""

import json
import tomllib

import numpy as np
import pandas as pd
import statsmodels.api as sm
from cells import derivable
from estimates import Z95, expit, gee, logit, numbers, ratio, standard_error
from scipy import sparse
from scipy.stats import norm
from tables import cells_of, hidden, kept, members

METRICS = "auroc auprc brier slope intercept o_e sensitivity specificity ppv net_benefit".split()
# Family-wise, of the levels and of the pairs: one wrong flag among few cells does less harm than a group overlooked.
ALPHA = {1: 0.2, 2: 0.05}
# A term needs so many events, and encounters without; a day on which a site's O/E jumps must be this clear.
LEAST_EVENTS, CLEAR_JUMP = 15, 3.5
ACTIONS = {
    "miscalibration": "recalibrate the score for this group, then refit the model with it in view",
    "proxy_label": "train and evaluate on need, not on paid claims",
    "data_quality": "find what changed at the site on that day and mend it; do not calibrate it away",
    "case_mix": "none: at the same risk they are treated alike",
}


def evaluate(in_dir, out_dir):
    card = tomllib.loads((in_dir / "card.toml").read_text(encoding="utf-8"))
    study = Study(kept(in_dir, card), card)
    findings, steps, line = study.judge()
    report = {
        "rows": rows(study),
        "findings": findings,
        "threshold": {"value": line, "chosen_on": "kept encounters, scores mended, without the pilot and faulty days"},
        "mitigation": steps,
        "safe_failure": {
            "trigger": "in any month a site's O/E leaves 0.8 to 1.25, or a tenth of its scores is one number",
            "fallback": "the tool is off at that site; nurses call who had two stays within six months",
        },
    }
    (out_dir / "report.json").write_text(json.dumps(report), encoding="utf-8")


def plain(x):
    return round(float(x), 4) if np.isfinite(x) else None


def rows(study):
    """Every metric of every cell; what is small is blank, and with it the counts that would give it away."""
    card, unit = study.card, study.table[study.card["counts"].removesuffix("s")]
    counts = {cell: int(unit[inside].nunique()) for cell, inside in study.inside.items()}

    def attacker(gone):
        shown = [{"by": dict(cell), "n": None if cell in gone else n} for cell, n in counts.items()]
        return {tuple(leak["by"].items()) for leak in derivable(shown, card)}

    gone, found = hidden(counts, card, attacker), []
    for cell, inside in study.inside.items():
        part = study.s[inside], study.y[inside], pd.factorize(study.patient[inside])[0]
        values = numbers(*part, card["threshold"]) if counts[cell] >= card["min_cell"] else {}
        n = {"n": None if cell in gone else counts[cell], "suppressed": cell in gone}
        for metric in METRICS:
            est, lo, hi = map(plain, values.get(metric, (np.nan,) * 3))
            found.append({"by": dict(cell), "metric": metric, "est": est, "lo": lo, "hi": hi, **n})
    return found


class Study:
    """The kept encounters as arrays.  inside: cell -> (n,) bool."""

    def __init__(self, table, card):
        self.table, self.card = table, card
        self.s, self.y, self.need = (table[name].to_numpy(float) for name in ("score", "readmit30", "need"))
        self.patient = pd.factorize(table["patient"])[0]
        self.by_patient = sparse.csr_array((np.ones(len(table)), (self.patient, np.arange(len(table)))))
        self.inside = {cell: members(table, cell) for cell in cells_of(card)}
        self.material = np.log(card["material"]["ratio"])

    # ---- what is off -----------------------------------------------------------------------------

    def judge(self):
        """(findings, mitigations, threshold)."""
        sites = [cell for cell in self.inside if [axis for axis, _ in cell] == ["site"]]
        faults = {cell: day for cell in sites if (day := self.onset(cell))}
        # What is scored or recorded wrongly says nothing about the model.
        sound = ~np.logical_or.reduce([0 * self.s > 0, *(self.since(cell, day) for cell, day in faults.items())])
        risky, one = logit(self.s), np.ones((len(self.s), 1))
        off = self.search(self.y, one, risky, sound, [])
        # Need beyond what score and label say: groups whose label is off already are allowed for, not looked for.
        base, known = self.design(np.column_stack([one, risky]), off), np.isfinite(self.need)
        blind = self.search(self.need, base, 0 * risky, sound & known, off)
        for cell in [*blind]:
            # A score that is too low hides need as well; then the label says so, if less clearly.
            (*_, shift), _ = self.joint(self.y, one, [*off, cell], risky, sound)
            if shift > blind[cell] / 2:
                off[cell] = shift
                del blind[cell]
        findings, steps = self.explained({*faults, *off}), []
        for cell, day in faults.items():
            since = f"O/E is another since {day:%Y-%m-%d}"
            found = self.finding(cell, "o_e", "data_quality", since)
            findings += [found] if abs(np.log(found["size"])) >= self.material else []
            steps.append({"type": "fix_data", "group_by": ["site"], "params": dict(cell), "justification": since})
        kinds = (off, "o_e", "miscalibration", "recalibrate"), (blind, "need_ratio", "proxy_label", "relabel")
        for terms, metric, cause, kind in kinds:
            for cell, shift in terms.items():
                findings.append(self.finding(cell, metric, cause, "its term in the joint model is clear"))
                params = {"|".join(name for _, name in cell): {"intercept": plain(shift), "slope": 1.0}}
                why = f"the group's term in the joint model of {metric}"
                steps.append({"type": kind, "group_by": [*dict(cell)], "params": params, "justification": why})
                risky = risky + shift * self.inside[cell]
        steps = steps or [{"type": "none", "group_by": [], "params": {}, "justification": "nothing is off"}]
        return findings, steps, self.line(expit(risky), sound)

    def since(self, cell, day):
        return self.inside[cell] & (self.table["index_date"] >= day).to_numpy()

    def onset(self, cell):
        """The day on which a site's O/E jumps; None if it is the same all year."""
        inside, days = self.inside[cell], self.table["index_date"]
        starts = pd.date_range(days[inside].min(), days[inside].max(), freq="7D")[4:-4]
        after = np.column_stack([self.since(cell, day) for day in starts]).astype(float)
        z, jump = self.one_by_one(self.y, np.ones((len(self.s), 1)), logit(self.s), inside, after)
        best = np.argmax(np.abs(z))
        return starts[best] if abs(z[best]) > CLEAR_JUMP and abs(jump[best]) > self.material else None

    def search(self, y, base, offset, rows, skip):
        """cell -> its term: first levels, then pairs, always the clearest given the others; then all again."""
        able = [c for c in self.inside if c and c not in skip and self.testable(c, y, rows)]
        many = {size: sum(len(c) == size for c in able) for size in (1, 2)}
        chosen = []
        for size in many:
            while pool := [c for c in able if len(c) == size and c not in chosen]:
                columns = np.column_stack([self.inside[c] for c in pool]).astype(float)
                z, shift = self.one_by_one(y, self.design(base, chosen), offset, rows, columns)
                z = np.where(np.abs(shift) >= self.material, np.abs(z), 0)
                # Holm: the clearest of those that are left, against as many.
                if 2 * norm.sf(z.max()) * len(pool) > ALPHA[size]:
                    break
                chosen.append(pool[int(np.argmax(z))])
        while chosen:
            shift, error = self.joint(y, base, chosen, offset, rows)
            doubt = 2 * norm.sf(np.abs(shift / error)) * [many[len(c)] / ALPHA[len(c)] for c in chosen]
            doubt[np.abs(shift) < self.material] = np.inf
            if doubt.max() <= 1:
                return dict(zip(chosen, shift))
            # A level that was chosen for one of its parts has nothing left once the part is there.
            chosen.pop(int(np.argmax(doubt)))
        return {}

    def design(self, base, cells):
        return np.column_stack([base, *(self.inside[cell] for cell in cells)]).astype(float)

    def joint(self, y, base, cells, offset, rows):
        """Terms of the cells in one GEE, and their standard errors."""
        fit = gee(y[rows], self.design(base, cells)[rows], offset[rows], self.patient[rows])
        return fit[:, -len(cells) :]

    def testable(self, cell, y, rows):
        events = y[rows & self.inside[cell]]
        return min(events.sum(), (1 - events).sum()) >= LEAST_EVENTS

    def one_by_one(self, y, design, offset, rows, columns):
        """Each column alone added to the design: (robust Wald z, term)."""
        # What the design explains is swept out of the columns, so that one term at a time is left to fit.
        y, design, offset, columns = y[rows], design[rows], offset[rows], columns[rows]
        eta = offset + design @ sm.GLM(y, design, offset=offset, family=sm.families.Binomial()).fit().params
        w = (expit(eta) * (1 - expit(eta)))[:, None]
        own = columns - design @ np.linalg.lstsq(design.T @ (w * design), design.T @ (w * columns), rcond=None)[0]
        usable = (w * own**2).sum(0) > 1e-6 * (w * columns**2).sum(0)
        own, term = own[:, usable], np.zeros(usable.sum())
        for _ in range(4):
            p = expit(eta[:, None] + own * term)
            u, weight = own * (y[:, None] - p), (p * (1 - p) * own**2).sum(0)
            error = np.sqrt(((self.by_patient[:, rows] @ u) ** 2).sum(0)) / weight
            term = term + np.clip(u.sum(0) / weight, -1, 1)
        found = np.zeros((2, len(usable)))
        found[:, usable] = term / error, term
        return found

    # ---- what is said of it ----------------------------------------------------------------------

    def finding(self, cell, metric, cause, why, tier="act"):
        """By the brief's definition, against everybody else; ratios have their interval on the log scale."""
        measure = {"o_e": self.o_e, "need_ratio": self.need_ratio, "sensitivity": self.caught}[metric]
        size, u = measure(self.inside[cell])
        width, none = Z95 * standard_error(u, self.patient), 0 if metric == "sensitivity" else 1
        lo, hi = (size * np.exp(w) if none else size + w for w in (-width, width))
        return {
            "by": dict(cell), "metric": metric, "direction": "higher" if size > none else "lower", "size": plain(size),
            "lo": plain(lo), "hi": plain(hi), "tier": tier, "cause": cause, "action": f"{ACTIONS[cause]} ({why})",
        }  # fmt: skip

    def o_e(self, inside):
        """(O/E over everybody else's, influence on its log)."""
        (a, u), (b, v) = (ratio(self.y * part, self.s * part) for part in (inside, ~inside))
        return a / b, u / a - v / b

    def caught(self, inside):
        """(sensitivity less everybody else's, influence)."""
        hit = self.y * (self.s >= self.card["threshold"])
        (a, u), (b, v) = (ratio(hit * part, self.y * part) for part in (inside, ~inside))
        return a - b, u - v

    def need_ratio(self, inside):
        """(need over that of others in the same tenth, influence on its log)."""
        tenth = np.searchsorted(np.quantile(self.s, np.arange(1, 10) / 10), self.s, side="right")
        need = np.nan_to_num(self.need)
        n, others = (np.bincount(tenth[part], minlength=10) for part in (inside, ~inside))
        rate = np.bincount(tenth[~inside], need[~inside], 10) / np.maximum(others, 1)
        expected, total = (n * rate).sum(), need[inside].sum()
        elsewhere = -(n / np.maximum(others, 1))[tenth] * (need - rate[tenth]) / expected
        return total / expected, np.where(inside, need / total - rate[tenth] / expected, elsewhere)

    def explained(self, named):
        """To watch: levels whose sensitivity is another although, at the same score, their outcomes are not."""
        everybody = np.ones(len(self.s), bool)
        levels = [c for c in self.inside if len(c) == 1 and c not in named and self.testable(c, self.y, everybody)]
        found = [self.finding(c, "sensitivity", "case_mix", "their risks are others", "watch") for c in levels]
        points = self.card["material"]["points"]
        return [f for f in found if abs(f["size"]) >= points and f["lo"] * f["hi"] > 0]

    def line(self, score, sound):
        """The card's threshold, or as far above it as the nurses' budget asks."""
        pilot, days = self.card["pilot"], self.table["index_date"]
        ward = ((self.table["site"] == pilot["site"]) & (days <= pd.Timestamp(pilot["until"]))).to_numpy()
        full = np.quantile(score[sound & ~ward], 1 - 0.97 * self.card["alert_budget"])
        return plain(max(full, self.card["threshold"]))
