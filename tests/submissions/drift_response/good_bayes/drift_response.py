"""A policy of hypotheses: what is believed of feeds, releases, shocks and outcomes, and what that is worth doing."""

import spelling
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import outcomes
import releases
from fixes import Fixes
from outcomes import ALWAYS, History, Month
from reading import Design, logit, read
from shocks import Shock

PLAN = json.loads(Path(__file__).with_name("plan.json").read_text(encoding="utf-8"))["protocol"]
WONDER, ACT = 0.9, 0.985  # probability of a change of outcomes from which somebody is told, and a model is asked for
CLEAR = 0.85  # share of one kind among changes; while it is less, another month is waited for
RETRAIN_ON, AGAIN = 3, 3  # closed months of the new kind; months until the same is asked for again
CAUSE = {
    "level": "prevalence_shift",
    "site": "prevalence_shift",
    "weights": "concept_drift",
    "shock": "temporary_shock",
}


@dataclass(frozen=True)
class Case:
    """What a model is to be made for. kind: level, site, weights or shock."""

    kind: str
    site: str
    onset: int

    @property
    def cause(self):
        """As actions name it."""
        return CAUSE[self.kind]


class Monitor:
    """One stream: created, shown the reference year, then asked once a month."""

    def __init__(self, card):
        self.card, self.history = card, History()
        self.last, self.epoch, self.off = -1, 0, ALWAYS
        self.case = self.own = None  # own: the Case that the running model was made for
        self.asked, self.told, self.ours, self.shock_on = -9, set(), False, False

    def start(self, batch):
        """The year before the stream begins, with all its outcomes."""
        batch = spelling.plain(batch)
        year = read(batch, self.card["features"])
        when = np.array(batch["month_of"])
        known = dict(zip(year.labels["encounter"], year.labels["y"], strict=True))
        self.year_y = np.array([known.get(name, 0) for name in year.name.tolist()], float)
        self.fixes = Fixes(self.card, year, when)
        self.sites = sorted(set(year.site.tolist()))
        self.design = Design(self.card, year, self.sites)
        self.year = self.design.matrix(year.values, year.code, year.site)
        self.release, self.weights = year.release, releases.weights(self.year, year.score)
        self.vendor = self.weights
        self.winter = outcomes.winter(self.wave(when), logit(year.score), self.year_y)
        self.shock = Shock(self.design, year, when, self.wave)

    def wave(self, month):
        """1 in January, -1 in July."""
        return np.cos(2 * np.pi * ((self.card["first_calendar_month"] - 1 + month) % 12) / 12)

    def month(self, batch):
        """What to do after this month, as a list of actions."""
        batch = spelling.plain(batch)
        now = read(batch, self.card["features"]) if isinstance(batch, dict) else None
        if now is None or now.month <= self.last:
            return []
        self.last = now.month
        values, masked, code = self.fixes.mended(now)
        actions, wrong = self.fixes.month(now)
        matrix = self.design.matrix(values, code, now.site)
        matrix[:, self.design.features][masked] = 0
        offset = logit(now.score) + self.winter * self.wave(now.month)
        x = matrix[:, : self.design.features.stop]
        n = len(now)
        month = Month(now.month, x, now.site, offset, ~wrong, matrix, np.zeros(n), np.zeros(n, bool))
        self.history.add(month, now.name)
        self.history.labelled(now.labels)
        actions += self.released(now, matrix, masked, wrong)
        actions += self.shocked(now, x[:, self.design.features], ~wrong & ~masked.any(axis=1))
        return actions + self.reported(now.reports) + self.changed()

    def runs(self, own, off=ALWAYS):
        """Another model runs from the next month on."""
        self.epoch, self.own, self.off, self.ours = self.last + 1, own, off, True
        self.case, self.asked, self.told = None, -9, set()

    # Releases.

    def released(self, now, matrix, masked, wrong):
        """A release that came by itself: is it worse than the one before, or than what we made for what happened?"""
        before, ours = self.release, self.ours
        self.release, self.ours = now.release, False
        whole = ~wrong & ~masked.any(axis=1)
        rows = whole if whole.sum() >= releases.FEWEST else ~wrong
        if rows.sum() < releases.FEWEST:
            return []
        # A feature that is masked for everybody tells nothing of its weight: old and new are compared without it.
        lost = np.zeros(matrix.shape[1], bool)
        lost[self.design.features] = masked[rows].all(axis=0)
        known = np.where(lost, 0.0, self.year)
        new = releases.weights(matrix[rows], now.score[rows])
        vendor, running = self.vendor, self.weights
        if lost.any():
            vendor, running = (releases.weights(known, 1 / (1 + np.exp(-self.year @ w))) for w in (vendor, running))
        elif whole.sum() >= releases.FEWEST:
            self.weights = new
        if now.release == before or ours or "+" in now.release:
            return []
        threshold = self.card["threshold"]
        # Nor does it tell of a site of which nobody is scored on what is true.
        told = known[:, 1 : 1 + len(self.sites)] @ matrix[rows][:, 1 : 1 + len(self.sites)].sum(axis=0) > 0
        if releases.worse(vendor, new, known[told], self.year_y[told], 12 * told.mean(), threshold) > 0.9:
            return self.back("bad_release", running)
        months = self.history.judged(self.own.onset) if self.own else []
        if months:
            x = np.where(lost, 0.0, np.concatenate([m.matrix[m.use] for m in months]))
            y = np.concatenate([m.y[m.use] for m in months])
            if releases.worse(running, new, x, y, len(months), threshold) > 0.5:
                return self.back(self.own.cause, running)
        self.vendor, self.own = new if not lost.any() else self.vendor, None
        self.epoch, self.case = self.last, None
        return []

    def back(self, cause, running):
        """To the model before this one; what was to be trained for is still to be."""
        case, self.weights = self.case, running
        self.runs(self.own, self.off)
        self.case = case
        return [{"type": "rollback", "cause": cause, "confidence": 0.9}]

    # Shocks.

    def shocked(self, now, scores, use):
        """Says that a shock is on, and takes back what was made for it when it is over."""
        known = np.isin(now.site, self.sites)
        sick = self.shock.sick(scores, now.site, use)
        chance = self.shock.month(self.wave(now.month), max(int(known.sum()), 1), sick)
        if chance > 0.95 and not self.shock_on:
            self.shock_on, self.case, self.asked = True, Case("shock", "", now.month), -9
            return [{"type": "alert", "cause": "temporary_shock", "confidence": round(chance, 2)}]
        if chance < 0.2 and self.shock_on:
            self.shock_on = False
            if self.own and self.own.kind == "shock":
                self.runs(None)
                return [{"type": "rollback", "cause": "temporary_shock", "confidence": round(1 - chance, 2)}]
            self.epoch, self.case, self.told = self.last, None, set()
        return []

    # Outcomes and candidates.

    def changed(self):
        """Asks for a model once it is all but certain that outcomes changed, and there is enough to train it on."""
        found = outcomes.posterior(self.history.judged(self.epoch), self.sites, self.off)
        if self.case is None and found:
            if found.changed < WONDER:
                return []
            kind = found.likeliest
            if found.changed < ACT or found.chance[kind] < CLEAR * found.changed:
                return self.tell("", "", found.changed)
            self.case = Case(kind, found.site if kind == "site" else "", found.onset[kind])
        if self.case is None or (self.case.kind == "shock" and not (found and found.changed > WONDER)):
            return []
        return self.ask(self.case)

    def ask(self, case):
        """For a training on the closed months since the onset; an alert while they are too few."""
        months = self.history.closed(case.onset)
        events = sum(m.y[(m.site == case.site) | (case.site == "")].sum() for m in months)
        enough = events >= max(self.card["min_events"], PLAN["data"]["min_events"])
        kind = "retrain" if case.kind == "weights" else "recalibrate"
        if not enough or len(months) < (RETRAIN_ON if kind == "retrain" else 1):
            return [] if case.kind == "shock" else self.tell(case.cause, case.site, ACT)
        if self.last < self.asked + AGAIN:
            return []
        self.asked = self.last
        action = {"type": kind, "cause": case.cause, "train_months": min(len(months), self.card["most_train_months"])}
        return [action | ({"site": case.site} if case.site else {})]

    def tell(self, cause, site, chance):
        """Once for each model and cause."""
        if cause in self.told:
            return []
        self.told.add(cause)
        alert = {"type": "alert", "confidence": round(float(chance), 2)}
        return [alert | ({"cause": cause} if cause else {}) | ({"site": site} if site else {})]

    def reported(self, reports):
        """Deploys what meets the rules of the plan, and rejects the rest."""
        actions = []
        for report in reports:
            good = self.accepted(report)
            actions.append({"type": "deploy" if good else "reject", "report": report["id"]})
            if good and self.case:
                # What it was fitted on has chance in it: e events leave a level off by 1 / sqrt(e), weights by more.
                left = report["events"] ** -0.5
                site = float(np.hypot(ALWAYS[1], 1.1 * left)) if self.case.site else ALWAYS[1]
                level = ALWAYS[0] if self.case.site else float(np.hypot(ALWAYS[0], 1.1 * left))
                weight = float(np.hypot(ALWAYS[2], 1.4 * left)) if report["kind"] == "retrain" else ALWAYS[2]
                self.runs(self.case, (level, site, weight))
        return actions

    @staticmethod
    def accepted(report):
        """Whether a report meets every rule of the plan."""
        now, new = report.get("current"), report.get("candidate")
        if report.get("refused") or not now or not new or report["events"] < PLAN["data"]["min_events"]:
            return False
        gains = {name: new[name] - now[name] for name in ("net_benefit", "auroc")}
        gains["o_e_error"] = abs(math.log(max(now["o_e"], 1e-6))) - abs(math.log(max(new["o_e"], 1e-6)))
        return all(gains[rule["field"]] >= rule["at_least"] for rule in PLAN["accept"])
