"""A policy of sequential tests: of feeds against their own year, of releases against its outcomes, of outcomes
against scores. Nothing is decided on one number that is odd, and nothing is waited for that is certain.
"""

import spelling
import json
import math
from dataclasses import dataclass
from pathlib import Path

import evidence
import numpy as np
import outcomes
from deliveries import NUMBERS, Card, NotAMonth, logit, read
from evidence import Cusum
from feeds import Feeds
from outcomes import Finding, Ledger, Record
from scipy.special import expit

PLAN = json.loads(Path(__file__).with_name("plan.json").read_text(encoding="utf-8"))["protocol"]
WORSE = 40.0  # log likelihood that a release may lose on the reference year; half a year's chance loses some ten
WORSE_NOW = 5.0  # likewise on the months that a model of ours was trained for
SHOCK = 9.0  # log likelihood ratio for fewer and sicker patients at all sites
FEWER, SICKER = 0.12, 0.25  # what a shock does to how many come (share) and to how ill they are (sd)
MONTHS_FOR_WEIGHTS = 3
AGAIN, TRIES = 2, 2


@dataclass
class Case:
    """A finding that a model is wanted for."""

    finding: Finding
    tries: int = 0
    asked: int = -9


class Monitor:
    """One stream: created, shown the reference year, then asked once a month."""

    def __init__(self, card):
        self.card = Card(card)
        self.ledger = Ledger()
        self.last, self.epoch = -1, 0
        self.case = self.own = None  # what a model is wanted for; what the running one was trained for
        self.pending = self.earlier = None  # the case that a report is about; `own` of the model before a shock's
        self.told = set()  # causes that somebody was alerted to since the model last changed
        self.shock_sum, self.shock = Cusum(), None
        self.doubt = self.weights_doubt = 1e3
        self.stands = {}  # column -> weights of the others that stand in for it

    def start(self, batch):
        """The year before the stream begins, with all its outcomes."""
        batch = spelling.plain(batch)
        year = read(batch)
        card = self.card
        natural = card.natural(np.where(np.isnan(year.x), card.normal, year.x))
        self.centre, self.sd = natural.mean(axis=0), natural.std(axis=0) + 1e-9
        known = dict(zip(year.labels["encounter"], year.labels["y"], strict=True))
        self.y = np.array([known.get(name, 0) for name in year.names.tolist()], float)
        self.feeds = Feeds(card, year)
        self.sites = self.feeds.home
        self.design = self.designed(year.x, year.code, year.site)
        self.vendors, self.release = {vendor(year.release)}, year.release
        self.base = self.weights = likeness(self.design, year.score, np.zeros(self.design.shape[1]))
        self.doubt = self.weights_doubt = float(self.y.sum())
        # Winter, as far as scores do not know of it.
        wave = np.column_stack([np.ones(len(self.y)), card.winter(year.month_of)])
        self.winter = float(evidence.weights(logit(year.score), self.y, wave)[0][1])
        self.ill_usual = {s: self.ill(self.design[year.site == s]).mean() for s in self.sites}
        months = np.unique(year.month_of)
        seen = np.array([self.who(self.design[m], year.site[m]) for m in (year.month_of == k for k in months)])
        waves = np.column_stack([np.ones(len(months)), card.winter(months)])
        self.seasons = np.linalg.lstsq(waves, seen, rcond=None)[0]
        rest = seen - waves @ self.seasons
        self.who_sd = np.maximum(np.sqrt((rest**2).sum(axis=0) / max(len(months) - 2, 1)), [0.02, 0.05])

    def designed(self, x, code, site):
        """(n, p) 1, nine standard scores, diagnoses, sites."""
        card = self.card
        z = (card.natural(np.where(np.isnan(x), card.normal, x)) - self.centre) / self.sd
        groups = code[:, None] == np.array(card.known, object)
        return np.column_stack(
            [np.ones(len(z)), np.clip(z, -6, 6), groups, site[:, None] == np.array(self.sites, object)]
        )

    def stand_in(self, design, masks):
        """Puts what the other features say in place of masked values, as last year's patients had it."""
        for j in np.flatnonzero(masks.any(axis=0)):
            others = np.delete(np.arange(1 + len(NUMBERS) + len(self.card.known)), 1 + j)
            if j not in self.stands:
                self.stands[j] = np.linalg.lstsq(self.design[:, others], self.design[:, 1 + j], rcond=None)[0]
            design[masks[:, j], 1 + j] = design[np.ix_(masks[:, j], others)] @ self.stands[j]

    @staticmethod
    def ill(design):
        """(n,) how ill patients are by what no laboratory measures: age, admissions, length of stay."""
        return design[:, 1:4] @ np.array([0.4, 0.7, 0.6])

    def who(self, design, site):
        """(log of how many came, by how much all sites' patients are more ill, of known sites)."""
        mine = np.isin(site, self.sites)
        shifts = [self.ill(design[site == s]).mean() - self.ill_usual[s] for s in self.sites if (site == s).any()]
        return np.log(max(mine.sum(), 1)), np.median(shifts) if shifts else 0.0

    def month(self, batch):
        """What to do after this month, as a list of actions."""
        batch = spelling.plain(batch)
        try:
            now = read(batch)
        except NotAMonth:
            return []
        if now.month <= self.last:
            return []
        self.last = now.month
        x, code, masks = self.feeds.as_read(now)
        actions, spoiled = self.feeds.review(now)
        design = self.designed(x, code, now.site)
        self.stand_in(design, masks)
        offset = logit(now.score) + self.winter * self.card.winter(now.month)
        n = len(offset)
        record = Record(
            now.month,
            now.release,
            design,
            now.site,
            offset,
            spoiled,
            masks.any(axis=1),
            np.zeros(n),
            np.zeros(n, bool),
        )
        self.ledger.add(record, now.names)
        self.ledger.outcomes(now.labels)
        actions += self.released(now, design)
        actions += self.shocked(record)
        actions += self.answered(now.reports)
        return actions + self.improved(now.release)

    # Releases.

    def released(self, now, design):
        """Whether what a vendor installed says of last year's patients what became of them."""
        weights = likeness(design, now.score, self.weights)
        before, self.weights = self.weights, weights
        self.release = now.release
        if vendor(now.release) in self.vendors:
            return []
        self.vendors.add(vendor(now.release))
        lost = likelihood(self.design @ self.base, self.y) - likelihood(self.design @ weights, self.y)
        if lost > WORSE:
            return self.back("bad_release", before)
        if self.own:
            months = self.ledger.judged(self.own.onset)
            a, b = (
                sum(likelihood(r.design[~r.spoiled] @ w, r.y[~r.spoiled]) for r in months) for w in (before, weights)
            )
            if self.own.onset > now.month - 4 or a - b > WORSE_NOW:
                return self.back(self.own.cause, before)
        # Its months are judged anew; what was found of the model before may no longer hold.
        self.base, self.own, self.case, self.epoch = weights, None, None, now.month
        self.doubt = self.weights_doubt = float(self.y.sum()) / 2
        return []

    def back(self, cause, weights):
        """To the model before this one."""
        self.weights = weights
        return [{"type": "rollback", "cause": cause, "confidence": 0.9}]

    # Shocks.

    def shocked(self, record):
        """Fewer patients and sicker ones, at all sites: seen at once, while outcomes take months."""
        usual = np.array([1.0, self.card.winter(record.month)]) @ self.seasons
        many, ill = self.who(record.design, record.site) - usual
        on = evidence.at(many, self.who_sd[0], np.log(1 - FEWER)) + evidence.at(ill, self.who_sd[1], SICKER)
        both = many < -FEWER / 2 and ill > SICKER / 3
        if self.shock is None:
            self.shock_sum.add(on if both else min(on, -2.0), record.month)
            if self.shock_sum.total <= SHOCK:
                return []
            self.shock, self.shock_sum = self.shock_sum.since, Cusum()
            for month, earlier in self.ledger.records.items():
                earlier.shock |= month >= self.shock
            self.case = Case(Finding("temporary_shock", "", self.shock))
            return self.alert("temporary_shock")
        self.shock_sum.add(-on, record.month)
        if self.shock_sum.total <= SHOCK / 2:
            record.shock = True
            return []
        self.shock, self.shock_sum, self.case = None, Cusum(), None
        if self.own and self.own.cause == "temporary_shock":
            self.own = self.earlier
            return self.back("temporary_shock", self.base)
        return []

    # Outcomes and models.

    def improved(self, release):
        """Asks for a model where outcomes say that the running one is wrong."""
        if self.shock is None and self.case is None:
            months = [r for r in self.ledger.judged(self.epoch) if r.release == release and not r.shock]
            finding, unsure = outcomes.review(months, self.sites, self.doubt, self.weights_doubt)
            if finding is None:
                return self.alert("") if unsure and not self.told else []
            own = self.own
            if own and (own.cause, own.site) == (finding.cause, finding.site) and abs(finding.size) < abs(own.size):
                finding = Finding(finding.cause, finding.site, own.onset, finding.size)
            if own and own.cause == "prevalence_shift" and finding.cause == "concept_drift":
                # What was taken for a level was this already.
                finding = Finding(finding.cause, "", own.onset, finding.size)
            self.case = Case(finding)
        if self.case is None:
            return []
        asked = self.request(self.case)
        shock = self.case.finding.cause == "temporary_shock"
        return asked or ([] if shock else self.alert(self.case.finding.cause, self.case.finding.site))

    def alert(self, cause, site=""):
        """Says so once."""
        if cause in self.told:
            return []
        self.told.add(cause)
        action = {"type": "alert", "confidence": 0.85 if cause else 0.5} | ({"site": site} if site else {})
        return [action | ({"cause": cause} if cause else {})]

    def request(self, case):
        """A training on the closed months since the onset; nothing while there are too few events."""
        finding = case.finding
        months = self.ledger.closed(finding.onset)
        retrain = finding.cause == "concept_drift"
        events = sum(r.y[(r.site == finding.site) | (not finding.site)].sum() for r in months)
        least = max(self.card.min_events, PLAN["data"]["min_events"])
        if len(months) < (MONTHS_FOR_WEIGHTS if retrain else 1) or events < least:
            return []
        if case.tries >= TRIES or self.last < case.asked + AGAIN:
            return []
        if finding.cause == "temporary_shock":
            offset, y, *_ = outcomes.pooled(months)
            if evidence.shift(offset, y)[1] < outcomes.CERTAIN:
                return []
        case.tries, case.asked, self.pending = case.tries + 1, self.last, case
        action = {"type": "retrain" if retrain else "recalibrate", "cause": finding.cause, "confidence": 0.85}
        action["train_months"] = min(len(months), self.card.most_months, PLAN["data"]["train_months"][1])
        return [action | ({"site": finding.site} if finding.site else {})]

    def answered(self, reports):
        """Deploys what meets every rule of plan.json, and rejects the rest."""
        actions = []
        for report in reports:
            if not isinstance(report, dict) or "id" not in report:
                continue
            good = accepted(report)
            case = self.pending
            if not good and case and self.case is case and case.tries >= TRIES:
                self.case, self.epoch = None, self.last - 1  # to be found again on outcomes still to come
            actions.append({"type": "deploy" if good else "reject", "report": report["id"]})
            if good and case:
                if case.finding.cause == "temporary_shock":
                    self.earlier = self.own
                self.own, self.epoch, self.told = case.finding, self.last + 1, set()
                self.case = None if self.case is case else self.case
                self.doubt = float(report["events"])
                self.weights_doubt = self.doubt if report["kind"] == "retrain" else self.weights_doubt
        return actions


def vendor(release):
    """The vendor's part of a model's name; ours are the vendor's and what was done to it."""
    return release.partition("+")[0]


def likeness(design, score, before):
    """(p,) weights of the linear model that gives these scores, near those before where scores do not tell."""
    # Scores near 0 and 1 are cut by rounding.
    weight = np.sqrt(score * (1 - score) + 1e-6)[:, None]
    x, z = design * weight, (logit(score) - design @ before) * weight[:, 0]
    return before + np.linalg.solve(x.T @ x + 0.01 * np.eye(x.shape[1]), x.T @ z)


def likelihood(linear, y):
    """Log likelihood of (n,) outcomes."""
    p = np.clip(expit(linear), 1e-6, 1 - 1e-6)
    return float((y * np.log(p) + (1 - y) * np.log(1 - p)).sum())


def accepted(report):
    """Whether a report meets every rule of the plan."""
    now, new = report.get("current"), report.get("candidate")
    if report.get("refused") or not now or not new or report["events"] < PLAN["data"]["min_events"]:
        return False
    gain = {field: new[field] - now[field] for field in ("net_benefit", "auroc")}
    gain["o_e_error"] = abs(math.log(max(now["o_e"], 1e-6))) - abs(math.log(max(new["o_e"], 1e-6)))
    return all(gain[rule["field"]] >= rule["at_least"] for rule in PLAN["accept"])
