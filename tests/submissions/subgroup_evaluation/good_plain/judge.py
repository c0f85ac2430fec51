"""Who is off at the same score, and why.

A model of the outcome given the score alone (a curve) is fitted, with one shift for each problem found so far. Of all cells the
one whose outcomes leave that model the most is taken up next, so a group comes before its parts, and a part before the group that
holds it, whichever explains more. Tests count patients: residuals of one patient are summed before they are squared.
"""

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from helpers import logit
from loading import cells_of, inside

CHANCE = 3.6  # about a hundred cells, two outcomes: 0.05 / 160, two-sided
CHANCE_SINCE = 4.6  # days of change at each site are looked through as well
CHANCE_SLOPE = 4.5
CHANCE_DAY = 2.3  # of a site that is already known to be off
LEAST = 60  # stays that a cell needs before it can be judged


@dataclass
class Problem:
    by: dict
    mask: np.ndarray = field(repr=False)
    cause: str = ""
    metric: str = ""
    direction: str = ""
    since: int | None = None
    kind: str = "shift"
    z: dict = field(default_factory=dict)
    shift: dict = field(default_factory=dict)
    ratio: dict = field(default_factory=dict)

    @property
    def columns(self):
        """Terms in the model: a fault changes level and ranking."""
        return 2 if self.kind == "slope" or self.since is not None else 1


def expit(v):
    return 1 / (1 + np.exp(-np.clip(v, -30, 30)))


def glm(design, offset, y, use):
    """Coefficients of an unpenalised logistic regression (a touch of ridge keeps it finite) of the rows to be used."""
    beta = np.zeros(design.shape[1])
    for _ in range(40):
        p = expit(offset + design @ beta)
        h = (design * (use * p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(len(beta))
        step = np.linalg.solve(h, design.T @ (use * (y - p)) - 1e-6 * beta)
        beta += np.clip(step, -3, 3)
        if np.abs(step).max() < 1e-8:
            break
    return beta


class Model:
    """P(outcome | score) with the problems so far; unless `faulty`, stays with faulty scores do not count."""

    def __init__(self, x, y, owner, problems, faulty=False):
        use = np.ones(len(x), bool)
        for p in problems:
            if p.since is not None and not faulty:
                use &= ~p.mask
        self.x, self.y, self.owner = x, y * use, owner
        c = x - x.mean()
        columns = [np.ones(len(x)), c, c * c]
        for p in problems:
            columns.append(p.mask.astype(float))
            if p.columns == 2:
                columns.append(p.mask * c)
        self.design = np.column_stack(columns)
        self.offset = x
        self.beta = glm(self.design, x, y, use)
        self.p = use * expit(x + self.design @ self.beta)
        self.weight = self.p * (1 - self.p)
        self.inverse = np.linalg.inv((self.design * self.weight[:, None]).T @ self.design + 1e-6 * np.eye(len(self.beta)))
        self.residual = self.y - self.p
        self.patients = owner.max() + 1

    def shift_of(self, number, problems):
        """The coefficient of the problem of that number."""
        at = 3
        for i, p in enumerate(problems):
            if i == number:
                return float(self.beta[at])
            at += p.columns
        raise IndexError(number)

    def test(self, column):
        """z of adding this column."""
        part = np.flatnonzero(column)
        projected = column - self.design @ (self.inverse @ (self.design[part].T @ (self.weight[part] * column[part])))
        u = projected * self.residual
        score = u.sum()
        robust = (np.bincount(self.owner, u, self.patients) ** 2).sum()
        plain = (projected * projected * self.weight).sum()
        return score / np.sqrt(max(robust, plain, 1e-12))

    def ratio(self, mask):
        """Observed over expected in the cell, over the same of everybody else."""
        inner, outer = self.p[mask].sum(), self.p[~mask].sum()
        if not inner or not outer:
            return 1.0
        rest = self.y[~mask].sum() / outer
        return float((self.y[mask].sum() / inner) / rest) if rest else 1.0


def judge(data):
    """[Problem] in the order found. data: the kept encounters."""
    known = np.isfinite(data.need)
    x = logit(data.score)
    outcome = {"y": (np.ones(len(x), bool), data.y)}
    if known.sum() > 500:
        outcome["need"] = (known, np.nan_to_num(data.need))
    cells = [(by, inside(data, by)) for by in cells_of(data.card)[1:]]
    cells = [(by, mask) for by, mask in cells if mask.sum() >= LEAST and (~mask).sum() >= LEAST]
    since = since_masks(data)
    ratio_least = data.card["material"]["ratio"]
    problems = []
    refused = set()
    while len(problems) < 12:
        models = fit_all(outcome, x, data.owner, problems)
        best = None
        for by, mask in cells:
            name = tuple(by.items())
            if name in refused or any(p.by == by for p in problems):
                continue
            z = {k: m.test(mask[outcome[k][0]].astype(float)) for k, m in models.items()}
            power = strength(z)
            if power > CHANCE and (best is None or power > best[0] + 1e-6):
                best = power, Problem(dict(by), mask, z=z)
            slope = models["y"].test(mask * (x - x[mask].mean()))
            if abs(slope) > CHANCE_SLOPE and (best is None or abs(slope) > best[0] + 1e-6):
                best = abs(slope), Problem(dict(by), mask, z=dict(z, slope=slope), kind="slope")
        for site, day, mask in since:
            if any(p.by == {"site": site} for p in problems):
                continue
            z = {k: m.test(mask[outcome[k][0]].astype(float)) for k, m in models.items()}
            slope = models["y"].test(mask * (x - x[mask].mean()))
            power = max(strength(z), abs(slope))
            if power > CHANCE_SINCE and (best is None or power**2 > best[0] ** 2 + (6 if best[1].since is None else 0)):
                kind = "shift" if strength(z) >= abs(slope) - 1 else "slope"
                best = power, Problem({"site": site}, mask, since=day, kind=kind, z=dict(z, slope=slope))
        if best is None:
            break
        problem = twin(best[1], cells, models, outcome)
        problem.ratio = {k: m.ratio(problem.mask[outcome[k][0]]) for k, m in models.items()}
        far = max(max(r, 1 / max(r, 1e-9)) for r in problem.ratio.values())
        if far < ratio_least and problem.kind == "shift":
            # With it goes the level whose twin it is, or that one would come back for ever.
            refused |= {tuple(problem.by.items()), tuple(best[1].by.items())}
            if problem.since is not None:
                since = [s for s in since if s[0] != problem.by["site"]]
            continue
        problems.append(problem)
        if problem.by.keys() == {"site"} and problem.since is None:
            date_it(problem, since, fit_all(outcome, x, data.owner, problems), outcome, x)
        for old in problems[:-1]:  # what was only the shadow of others goes again, and stays away
            rest = [p for p in problems if p is not old]
            models = fit_all(outcome, x, data.owner, rest)
            z = {k: m.test(old.mask[outcome[k][0]].astype(float)) for k, m in models.items()}
            slope = models["y"].test(old.mask * (x - x[old.mask].mean())) if old.kind == "slope" else 0
            small = all(max(r, 1 / max(r, 1e-9)) < ratio_least for r in (m.ratio(old.mask[outcome[k][0]]) for k, m in models.items()))
            if max(strength(z), abs(slope)) < CHANCE - 0.2 or (small and old.kind == "shift"):
                problems = rest
                refused.add(tuple(old.by.items()))
    sound, faulty = (fit_all(outcome, x, data.owner, problems, with_faults) for with_faults in (False, True))
    for i, p in enumerate(problems):
        p.shift = {k: m.shift_of(i, problems) for k, m in (sound if p.since is None else faulty).items()}
        explain(p)
    return problems


def strength(z):
    """The most that y, need, or both together (they are correlated by about a half) speak for a shift."""
    one = max(abs(v) for v in z.values())
    return max(one, abs(z["y"] + z["need"]) / np.sqrt(3)) if "need" in z else one


def date_it(problem, since, models, outcome, x):
    """A site that is off as a whole: is it so from some day on? Then the data are at fault, and only from there."""
    best = CHANCE_DAY
    for site, day, mask in since:
        if site != problem.by["site"]:
            continue
        z = {k: m.test(mask[outcome[k][0]].astype(float)) for k, m in models.items()}
        power = max(strength(z), abs(models["y"].test(mask * (x - x[mask].mean()))))
        if power > best:
            best, problem.since, later = power, day, mask
    if problem.since is not None:
        problem.mask = later


def fit_all(outcome, x, owner, problems, faulty=False):
    models = {}
    for k, (mask, y) in outcome.items():
        _, who = np.unique(owner[mask], return_inverse=True)
        inner = [Problem(p.by, p.mask[mask], since=p.since, kind=p.kind) for p in problems]
        models[k] = Model(x[mask], y[mask], who, inner, faulty)
    return models


def twin(problem, cells, models, outcome):
    """Of the two levels of an axis that has two, one is as far off as the other: take the one the model itself fails."""
    if problem.since is not None or len(problem.by) != 1:
        return problem
    axis = next(iter(problem.by))
    others = [(by, mask) for by, mask in cells if by.keys() == {axis} and by != problem.by]
    if len(others) != 1 or (others[0][1] != ~problem.mask).any():
        return problem
    by, mask = others[0]
    k = max(models, key=lambda key: abs(problem.z[key]))
    m = models[k]
    use = outcome[k][0]

    def off(part):
        part = part[use]
        # The label's own ratio to the score says who is off; of need only that it is not met.
        return abs(np.log(max(m.y[part].sum(), 0.5) / expit(m.x[part]).sum())) if k == "y" else m.y[part].sum() / expit(m.x[part]).sum()

    if off(mask) > off(problem.mask):
        return Problem(dict(by), mask, kind=problem.kind, z={key: -v for key, v in problem.z.items()})
    return problem


def since_masks(data):
    """(site, day, mask) for days of a possible change, about ten days apart."""
    out = []
    for site in data.card["levels"]["site"]:
        at = data.site == site
        if at.sum() < 400:
            continue
        days = np.unique(data.day[at])
        for day in range(int(days[0]) + 14, int(days[-1]) - 13, 7):
            mask = at & (data.day >= day)
            if mask.sum() >= 150 and (at & ~mask).sum() >= 100:
                out.append((site, day, mask))
    return out


def explain(p):
    """Cause, metric and direction."""
    y, need = p.shift["y"], p.shift.get("need")
    if p.since is not None:
        p.cause = "data_quality"
    elif need is None or abs(y) > abs(need) / 2 or p.kind == "slope":
        p.cause = "miscalibration"
        if need is not None and p.kind == "shift" and abs(need) < abs(y) / 4:
            p.cause = "proxy_label"  # the label moves, what patients need does not
            if p.by.keys() == {"site"}:
                p.cause = "data_quality"
    else:
        p.cause = "proxy_label"
    if p.kind == "slope":
        p.metric, p.direction = "slope", "higher" if p.z["slope"] > 0 else "lower"
    elif p.cause == "proxy_label" and need is not None and abs(need) >= abs(y):
        p.metric, p.direction = "need_ratio", "higher" if need > 0 else "lower"
    else:
        p.metric, p.direction = "o_e", "higher" if y > 0 else "lower"


def when(problem):
    return date.fromordinal(problem.since).isoformat() if problem.since else None
