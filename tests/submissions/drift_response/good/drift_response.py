"""A policy in four parts: what feeds deliver, what a release is made of, what outcomes say, what reports allow."""

import spelling
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import outcomes
from contracts import Contracts, Feeds
from outcomes import Finding, History, Month
from tables import Standard, logit, read

WORSE_RANKING = 0.008  # of AUROC on the reference year, from which a release ranks wrongly
WORSE_FIT = 6.0  # of deviance, from which a release is worse than our own model on the months that it was made for
# Fewer patients than expected, of whom all sites' are more ill (in sd times the first component): a shock.
FEW_PATIENTS, MORE_ILL = 0.92, 0.2
OTHER_SCORES = 0.15  # log-odds by which the scores of one model do not differ from those it should give
PLAIN = 60  # encounters that no fix or fault touches, from which a model's weights are read off its scores
RETRAIN_MONTHS = 3  # closed months of the new kind before weights are fitted
TRIES, AGAIN_AFTER = 2, 2
PLAN = Path(__file__).with_name("plan.json")


@dataclass
class Case:
    """A finding that a model is to be trained for. tries: asked for so often, the last time in month `asked`."""

    finding: Finding
    tries: int = 0
    asked: int = -9


class Monitor:
    """One stream: created, shown the reference year, then asked once a month."""

    def __init__(self, card):
        self.card = card
        self.protocol = json.loads(PLAN.read_text(encoding="utf-8"))["protocol"]
        self.history = History()
        self.last_month, self.epoch = -1, 0  # epoch: first month of the model that is running
        self.case = None
        self.own, self.unseen = None, False  # the Finding that the running model was trained for; not yet seen to run
        self.turned = False  # the model was changed by us last month
        self.shock = None  # first month of a shock that is on
        self.worried = False  # an alert was given for this epoch

    def start(self, batch):
        """The year before the stream begins, with all its outcomes."""
        batch = spelling.plain(batch)
        table = read(batch)
        when = np.array(batch["month_of"])
        known = dict(zip(batch["labels"]["encounter"], batch["labels"]["y"], strict=True))
        self.usual_y = np.array([known.get(name, 0) for name in table.encounter.tolist()], float)
        self.standard = Standard(table)
        self.feeds = Feeds(Contracts(table, when))
        self.sites = self.feeds.contracts.sites
        self.usual = self.matrix(table.values, table)
        self.release, self.vendors = batch["release_id"], {batch["release_id"].partition("+")[0]}
        self.weights = outcomes.likeness(self.usual, table.score)
        self.usual_events = self.weights_on = self.level_on = self.usual_y.sum()
        self.winter = outcomes.seasonal(self.calendar(when), logit(table.score), self.usual_y)
        ill = self.standard.features(table.values) @ self.standard.severity
        self.usual_ill = {site: ill[table.site == site].mean() for site in self.sites}
        months, counts = np.unique(when, return_counts=True)
        monthly = np.array([ill[when == m].mean() - ill.mean() for m in months])
        waves = np.column_stack([np.ones(len(months)), self.wave(months)])
        self.seasons = np.linalg.lstsq(waves, np.column_stack([counts, monthly]), rcond=None)[0]

    def calendar(self, month):
        """0 is January."""
        return (self.card["first_calendar_month"] - 1 + month) % 12

    def wave(self, month):
        """1 in January, -1 in July."""
        return np.cos(2 * np.pi * self.calendar(month) / 12)

    def matrix(self, values, table):
        """(n, p) what a linear model may read: 1, standard scores, diagnoses, sites."""
        sites = (table.site[:, None] == np.array(self.sites, object)[None, :]).astype(float)
        return np.column_stack(
            [np.ones(len(table)), self.standard.features(values), self.standard.groups(self.feeds.coded(table)), sites]
        )

    def month(self, batch):
        """What to do after this month, as a list of actions."""
        batch = spelling.plain(batch)
        table = read(batch) if isinstance(batch, dict) else None
        month = batch.get("month") if isinstance(batch, dict) else None
        if table is None or type(month) is not int or month <= self.last_month:
            return []
        self.last_month = month
        masked = self.feeds.masked(table)
        actions, wrong = self.feeds.check(table)
        matrix = self.matrix(self.feeds.mended(table), table)
        matrix[:, 1 : 1 + masked.shape[1]][masked] = 0
        offset = logit(table.score) + self.winter * self.wave(month)
        n = len(table)
        now = Month(month, matrix, table.site, table.encounter, offset, wrong, np.zeros(n), np.zeros(n, bool))
        self.history.add(now)
        self.history.outcomes(batch["labels"])
        actions += self.released(batch["release_id"], now, table.score, ~wrong & ~masked.any(axis=1))
        actions += self.shocked(now, masked.any(axis=1))
        actions += self.answered(batch["reports"])
        return actions + self.trained()

    def changed(self, first):
        """Another model runs from the month `first` on: its outcomes are counted from there."""
        self.epoch, self.worried, self.case = first, False, None

    # Releases.

    def released(self, release, now, score, clean):
        """A vendor's release that came without asking: is it as good as the one before on what is known?"""
        plain = clean.sum() >= PLAIN
        clean = clean if plain else ~now.wrong
        if not clean.any():
            return []
        vendor, before = release.partition("+")[0], self.weights
        matrix = now.matrix[clean]
        weights = outcomes.likeness(matrix, score[clean])
        other = np.median(np.abs(matrix @ before - logit(score[clean]))) > OTHER_SCORES
        unseen, ours = self.unseen, self.turned
        # A release may come under the name of another one: what it makes of the same patients tells.
        new = vendor not in self.vendors or (not ours and (release != self.release or (plain and other)))
        self.unseen = self.turned = False
        self.release = release
        self.vendors.add(vendor)
        if not new:
            # Where every score rests on a mask, weights cannot be read off.
            self.weights = weights if plain else before
            return []
        drop = outcomes.auroc(self.usual @ before, self.usual_y) - outcomes.auroc(self.usual @ weights, self.usual_y)
        if drop > WORSE_RANKING and not (self.own and self.own.cause == "concept_drift"):
            return self.back("bad_release", self.case)
        if self.own and (unseen or self.worse(before, weights)):
            return self.back(self.own.cause, self.case)
        self.weights, self.own = weights, None
        return []

    def worse(self, before, weights):
        """Whether a release does worse than the model that was trained for a finding, on the months since."""
        months = self.history.judged(self.own.onset)
        deviances = [
            sum(outcomes.deviance(m.matrix[~m.wrong] @ w, m.y[~m.wrong]) for m in months) for w in (weights, before)
        ]
        return deviances[0] - deviances[1] > WORSE_FIT

    def back(self, cause, case=None):
        """To the model before this one."""
        self.changed(self.last_month + 1)
        self.case, self.turned = case, True
        return [{"type": "rollback", "cause": cause, "confidence": 0.9}]

    # Shocks.

    def shocked(self, now, masked):
        """A shock shows in who comes, at all sites at once, months before its outcomes do."""
        volume, winter = np.array([1.0, self.wave(now.month)]) @ self.seasons
        rows = ~self.feeds.misread & ~masked & np.isin(now.site, self.sites)
        ill = now.design @ self.standard.severity
        there = [(s, rows & (now.site == s)) for s in self.sites]
        shifts = [ill[mine].mean() - self.usual_ill[s] for s, mine in there if mine.any()]
        if len(shifts) < 2:
            return []
        few = np.isin(now.site, self.sites).sum() < FEW_PATIENTS * volume
        if self.shock is None and few and np.mean(shifts) - winter > MORE_ILL and min(shifts) > 0:
            self.shock, self.case = now.month, Case(Finding("temporary_shock", "", now.month, 0.0))
            return [{"type": "alert", "cause": "temporary_shock", "confidence": 0.8}]
        if self.shock is not None and not few and np.mean(shifts) - winter < 1.5 * MORE_ILL:
            self.shock = None
            if self.own and self.own.cause == "temporary_shock":
                self.own, self.level_on = None, self.weights_on
                return self.back("temporary_shock")
            self.changed(now.month)
        return []

    # Outcomes and models.

    def trained(self):
        """Asks for a model where outcomes say that the running one is wrong, once there is enough to train it on."""
        if self.case is None:
            finding = outcomes.review(self.history.judged(self.epoch), self.weights_on, self.level_on)
            if finding is None:
                return self.wondered()
            self.case = Case(self.refined(finding))
        asked = self.request(self.case)
        if asked:
            return asked
        return self.wondered(self.case.finding) if self.case.finding.cause != "temporary_shock" else []

    def refined(self, finding):
        """A small rest of what was corrected on few months is corrected on all months since."""
        own = self.own
        if own and (own.cause, own.site) == (finding.cause, finding.site) and abs(finding.size) < abs(own.size):
            return replace(finding, onset=own.onset)
        return finding

    def wondered(self, finding=None):
        """One alert as soon as a month is far off, and one when something was found that cannot be answered yet."""
        if finding is None and (
            self.worried or not outcomes.suspicious(self.history.judged(self.epoch), self.level_on)
        ):
            return []
        if finding is not None and self.worried == finding.cause:
            return []
        self.worried = finding.cause if finding else True
        alert = {"type": "alert", "confidence": 0.6}
        if finding:
            alert |= {"cause": finding.cause, "confidence": 0.85} | ({"site": finding.site} if finding.site else {})
        return [alert]

    def request(self, case):
        """A training on the closed months since the onset, or nothing while they are too few."""
        finding = case.finding
        months = self.history.closed(finding.onset)
        retrain = finding.cause == "concept_drift"
        events = sum(m.y[(m.site == finding.site) | (not finding.site)].sum() for m in months)
        if finding.cause == "temporary_shock":
            off = outcomes.suspicious(months, self.level_on)
            if not off:
                return []
        enough = len(months) >= (RETRAIN_MONTHS if retrain else 1) and events >= self.least
        if not enough or case.tries >= TRIES or self.last_month < case.asked + AGAIN_AFTER:
            return []
        case.tries, case.asked = case.tries + 1, self.last_month
        action = {"type": "retrain" if retrain else "recalibrate", "cause": finding.cause, "confidence": 0.85}
        action["train_months"] = min(len(months), self.card["most_train_months"])
        return [action | ({"site": finding.site} if finding.site else {})]

    @property
    def least(self):
        """Events that a training needs, by the house's card and by the plan."""
        return max(self.card["min_events"], self.protocol["data"]["min_events"])

    def answered(self, reports):
        """Deploys what meets the plan's rules, and rejects the rest."""
        actions = []
        for report in reports:
            good = self.accepted(report)
            actions.append({"type": "deploy" if good else "reject", "report": report["id"]})
            if good and self.case:
                self.own, self.unseen, self.turned = self.case.finding, True, True
                self.level_on = report["events"]
                if report["kind"] == "retrain":
                    self.weights_on = report["events"]
                self.changed(self.last_month + 1)
        return actions

    def accepted(self, report):
        """Whether a report meets every rule of the plan."""
        now, new = report.get("current"), report.get("candidate")
        if report.get("refused") or not now or not new or report["events"] < self.protocol["data"]["min_events"]:
            return False
        gains = {field: new[field] - now[field] for field in ("net_benefit", "auroc")}
        gains["o_e_error"] = abs(math.log(max(now["o_e"], 1e-6))) - abs(math.log(max(new["o_e"], 1e-6)))
        return all(gains[rule["field"]] >= rule["at_least"] for rule in self.protocol["accept"])
