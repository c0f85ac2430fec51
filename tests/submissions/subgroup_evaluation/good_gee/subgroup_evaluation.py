"""One model for all groups at once: their terms are tested together, so that nobody is blamed for a neighbour's gap."""

import json
import tomllib

import numpy as np
import pandas as pd
import statsmodels.api as sm
from cells import derivable
from estimates import Z95, auroc, expit, gee, logit, numbers, ratio, standard_error
from scipy import sparse
from scipy.stats import norm
from tables import cells_of, hidden, kept, members

ALPHA = 0.05
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
    table = kept(in_dir, card)
    study = Study(table, card)
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
    table, card = study.table, study.card
    unit = "patient" if card["counts"] == "patients" else "encounter"
    counts = {cell: int(table.loc[inside, unit].nunique()) for cell, inside in study.inside.items()}

    def attacker(gone):
        shown = [{"by": dict(cell), "n": None if cell in gone else n} for cell, n in counts.items()]
        return {tuple(leak["by"].items()) for leak in derivable(shown, card)}

    gone, found = hidden(counts, card, attacker), []
    for cell, inside in study.inside.items():
        small = counts[cell] < card["min_cell"]
        patient = pd.factorize(study.patient[inside])[0]
        values = {} if small else numbers(study.s[inside], study.y[inside], patient, card["threshold"])
        for metric in METRICS:
            est, lo, hi = map(plain, values.get(metric, (np.nan,) * 3))
            n = None if cell in gone else counts[cell]
            found.append({"by": dict(cell), "metric": metric, "n": n, "est": est, "lo": lo, "hi": hi, "suppressed": cell in gone})
    return found


METRICS = "auroc auprc brier slope intercept o_e sensitivity specificity ppv net_benefit".split()


class Study:
    """The kept encounters as arrays.  inside: cell -> (n,) bool."""

    def __init__(self, table, card):
        self.table, self.card = table, card
        self.s, self.y = table["score"].to_numpy(float), table["readmit30"].to_numpy(float)
        self.need = table["need"].to_numpy(float)
        self.patient = pd.factorize(table["patient"])[0]
        self.by_patient = sparse.csr_array((np.ones(len(table)), (self.patient, np.arange(len(table)))))
        self.inside = {cell: members(table, cell) for cell in cells_of(card)}
        self.material = np.log(card["material"]["ratio"])

    # ---- what is off -----------------------------------------------------------------------------

    def judge(self):
        """(findings, mitigations, threshold)."""
        known = np.isfinite(self.need)
        faults = {cell: day for cell in self.inside if [axis for axis, _ in cell] == ["site"] and (day := self.onset(cell))}
        sound = np.ones(len(self.s), bool)
        for cell, day in faults.items():
            sound &= ~self.since(cell, day)
        risky, one = logit(self.s), np.ones((len(self.s), 1))
        off = self.search(self.y, one, risky, sound, [])
        # Need beyond what label and score say: groups whose label is off already are allowed for, not looked for.
        columns = [self.inside[cell].astype(float) for cell in off]
        blind = self.search(self.need, np.column_stack([one, risky, *columns]), 0 * risky, sound & known, list(off))
        findings, steps = [], []
        for cell, day in faults.items():
            told = self.finding(cell, "o_e", "data_quality", f"since {day:%Y-%m-%d}: ")
            if abs(np.log(told["size"])) >= self.material:
                findings.append(told)
            steps.append({"type": "fix_data", "group_by": ["site"], "params": dict(cell), "justification": f"O/E is another from {day:%Y-%m-%d} on"})
        for terms, metric, cause, kind in ((off, "o_e", "miscalibration", "recalibrate"), (blind, "need_ratio", "proxy_label", "relabel")):
            for cell, shift in terms.items():
                findings.append(self.finding(cell, metric, cause))
                key = "|".join(name for _, name in cell)
                steps.append({"type": kind, "group_by": [axis for axis, _ in cell], "params": {key: {"intercept": plain(shift), "slope": 1.0}}, "justification": f"its term in the joint model of {metric}"})
                risky = risky + shift * self.inside[cell]
        findings += self.explained({*faults, *off})
        steps = steps or [{"type": "none", "group_by": [], "params": {}, "justification": "nothing is off"}]
        return findings, steps, self.line(expit(risky), sound)

    def since(self, cell, day):
        return self.inside[cell] & (self.table["index_date"] >= day).to_numpy()

    def onset(self, cell):
        """The day on which a site's O/E jumps; None if it is the same all year."""
        inside, days = self.inside[cell], self.table["index_date"]
        starts = pd.date_range(days[inside].min(), days[inside].max(), freq="7D")[4:-4]
        after = np.column_stack([self.since(cell, day) for day in starts]).astype(float)
        z, jump = self.scores(self.y, np.ones((len(self.s), 1)), logit(self.s), inside, after)
        best = np.argmax(np.abs(z))
        return starts[best] if abs(z[best]) > CLEAR_JUMP and abs(jump[best]) > self.material else None

    def search(self, y, base, offset, rows, skip):
        """cell -> its term: levels first, then pairs, each the clearest given those before; then all are tried again."""
        least = [c for c in self.inside if c and c not in skip and self.testable(c, y, rows)]
        chosen = []
        for size in (1, 2):
            while pool := [c for c in least if len(c) == size and c not in chosen]:
                design = np.column_stack([base, *(self.inside[c] for c in chosen)])
                columns = np.column_stack([self.inside[c] for c in pool]).astype(float)
                z, step = self.scores(y, design, offset, rows, columns)
                z = np.where(np.abs(step) >= self.material, np.abs(z), 0)
                # Holm: the clearest of those that are left, against as many.
                if 2 * norm.sf(z.max()) * len(pool) > ALPHA:
                    break
                chosen.append(pool[int(np.argmax(z))])
        while chosen:
            design = np.column_stack([base, *(self.inside[c] for c in chosen)])
            fit = gee(y[rows], design[rows], offset[rows], self.patient[rows])
            shift, error = (np.asarray(part)[base.shape[1] :] for part in (fit.params, fit.bse))
            doubt = np.array([len(least) if len(c) == 2 else sum(len(d) == 1 for d in least) for c in chosen])
            doubt = 2 * norm.sf(np.abs(shift / error)) * doubt
            doubt[np.abs(shift) < self.material] = np.inf
            if doubt.max() <= ALPHA:
                return dict(zip(chosen, shift))
            chosen.pop(int(np.argmax(doubt)))
        return {}

    def testable(self, cell, y, rows):
        events = y[rows & self.inside[cell]]
        return min(events.sum(), (1 - events).sum()) >= LEAST_EVENTS

    def scores(self, y, design, offset, rows, columns):
        """Robust score test (Rotnitzky & Jewell 1990) of each column alone, given the design: (z, one step towards it)."""
        y, design, offset, columns = y[rows], design[rows], offset[rows], columns[rows]
        fit = sm.GLM(y, design, offset=offset, family=sm.families.Binomial()).fit()
        mu = np.asarray(fit.fittedvalues)
        w = (mu * (1 - mu))[:, None]
        own = columns - design @ np.linalg.lstsq(design.T @ (w * design), design.T @ (w * columns), rcond=None)[0]
        u = self.by_patient[:, rows] @ (own * (y - mu)[:, None])
        spread, weight = np.sqrt((u**2).sum(0)), (w * own**2).sum(0)
        usable = weight > 1e-6 * (w * columns**2).sum(0)
        with np.errstate(all="ignore"):
            return (np.where(usable, part, 0) for part in (u.sum(0) / spread, u.sum(0) / weight))

    # ---- what is said of it ----------------------------------------------------------------------

    def finding(self, cell, metric, cause, when=""):
        """By the brief's definition, against everybody else; the interval by the delta method, on the log scale."""
        inside = self.inside[cell]
        size, u = self.o_e_ratio(inside) if metric == "o_e" else self.need_ratio(inside)
        width = Z95 * standard_error(u, self.patient)
        return {
            "by": dict(cell), "metric": metric, "direction": "higher" if size > 1 else "lower", "size": plain(size),
            "lo": plain(size * np.exp(-width)), "hi": plain(size * np.exp(width)),
            "tier": "act", "cause": cause, "action": when + ACTIONS[cause],
        }  # fmt: skip

    def o_e_ratio(self, inside):
        """(O/E over everybody else's, influence on its log)."""
        (a, u), (b, v) = (ratio(self.y * part, self.s * part) for part in (inside, ~inside))
        return a / b, u / a - v / b

    def need_ratio(self, inside):
        """(need over that of others in the same tenth, influence on its log)."""
        tenth = np.searchsorted(np.quantile(self.s, np.arange(1, 10) / 10), self.s, side="right")
        need = np.nan_to_num(self.need)
        n, others = (np.bincount(tenth[part], minlength=10) for part in (inside, ~inside))
        rate = np.bincount(tenth[~inside], need[~inside], 10) / np.maximum(others, 1)
        expected, total = (n * rate).sum(), need[inside].sum()
        there = need / total - rate[tenth] / expected
        elsewhere = -(n / np.maximum(others, 1))[tenth] * (need - rate[tenth]) / expected
        return total / expected, np.where(inside, there, elsewhere)

    def explained(self, named):
        """To watch: levels whose sensitivity is another although, at the same score, their outcomes are not."""
        flag, found = (self.s >= self.card["threshold"]).astype(float), []
        for cell, inside in self.inside.items():
            if len(cell) != 1 or cell in named or not self.testable(cell, self.y, np.ones(len(self.y), bool)):
                continue
            (a, u), (b, v) = (ratio(self.y * flag * part, self.y * part) for part in (inside, ~inside))
            width = Z95 * standard_error(u - v, self.patient)
            if abs(a - b) >= max(self.card["material"]["points"], 2 * width):
                found.append({
                    "by": dict(cell), "metric": "sensitivity", "direction": "higher" if a > b else "lower",
                    "size": plain(a - b), "lo": plain(a - b - width), "hi": plain(a - b + width),
                    "tier": "watch", "cause": "case_mix", "action": ACTIONS["case_mix"],
                })  # fmt: skip
        return found

    def line(self, score, sound):
        """The highest threshold worth calling at, unless the nurses cannot call so many."""
        pilot = self.card["pilot"]
        ward = (self.table["site"] == pilot["site"]) & (self.table["index_date"] <= pd.Timestamp(pilot["until"]))
        full = np.quantile(score[sound & ~ward.to_numpy()], 1 - 0.97 * self.card["alert_budget"])
        return plain(max(full, self.card["threshold"]))
