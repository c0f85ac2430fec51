"""A policy around river's drift detectors: a stream a feed, a site and a question, and contracts for what they mean."""

import spelling
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from feeds import Board
from intake import NUMBERS, Scores, logit, table
from outcomes import Finding, Month, Review, gain, moved, sigmoid
from river import stats
from streams import Standard, Watch

PLAN = json.loads(Path(__file__).with_name("plan.json").read_text(encoding="utf-8"))["protocol"]
WORSE, SURELY = 40.0, 4.0  # log loss that a release may add on the reference year, and in standard errors
WORSE_NOW = 5.0  # likewise on the months that a model of ours was trained for
FEWER, SICKER = 0.06, 0.1  # log share of patients who stay away, and sd by which the others are more ill, in a shock
MONTHS_FOR_WEIGHTS, TRIES, AGAIN = 3, 2, 2


@dataclass
class Case:
    """A finding that a model is wanted for."""

    finding: Finding
    tries: int = 0
    asked: int = -9


class Monitor:
    """One stream: created, shown the reference year, then asked once a month."""

    def __init__(self, card):
        self.card = card
        self.months, self.place = {}, {}
        self.last, self.case, self.own, self.shock = -1, None, None, None
        self.pending, self.earlier = (
            None,
            None,
        )  # the case that a report is about; `own` of the model before a shock's
        self.told = set()
        self.stands = {}

    # The year before.

    def start(self, batch):
        """The year before the stream begins, with all its outcomes."""
        batch = spelling.plain(batch)
        year = table(batch)
        self.board, self.scores = Board(year, self.card), Scores(year, self.card)
        self.sites = self.scores.sites
        self.design = self.scores.design(year)
        known = dict(zip(batch["labels"]["encounter"], batch["labels"]["y"], strict=True))
        self.y = np.array([known.get(name, 0) for name in year["encounter"]], float)
        when, site = year["month"].to_numpy(), year["site"].to_numpy()
        offset = logit(year["score"])
        self.winter = self.seasonal(self.wave(when), offset, self.y)
        offset = offset + self.winter * self.wave(when)
        past = []
        for m in np.unique(when):
            rows = when == m
            some = [self.design[rows], site[rows], offset[rows]]
            past.append(Month(int(m), "", *some, np.full(rows.sum(), True), self.y[rows], np.full(rows.sum(), True)))
        self.review = Review(self.sites, past, float(self.y.sum()))
        self.vendors, self.weights = {batch["release_id"].partition("+")[0]}, np.zeros(self.design.shape[1])
        self.base = self.weights = self.likeness(self.design, year["score"].to_numpy(float))
        # Who comes: how many, and how ill by what no laboratory measures, winters allowed for.
        self.usual_ill = {s: self.ill(self.design[site == s]).mean() for s in self.sites}
        who = np.array([self.who(m) for m in past])
        waves = np.column_stack([np.ones(len(past)), [self.wave(m.number) for m in past]])
        self.seasons = np.linalg.lstsq(waves, who, rcond=None)[0]
        rest = who - waves @ self.seasons
        self.people = [Standard(rest[:, k], least) for k, least in enumerate((0.02, 0.05))]
        scores = [[self.people[k].score(v) for v in rest[:, k]] for k in range(2)]
        self.fewer, self.sicker = Watch(scores[0], slack=1.0, limit=2.5), Watch(scores[1], slack=0.5, limit=1.2)

    def wave(self, month):
        """1 in January, -1 in July."""
        return np.cos(2 * np.pi * (self.card["first_calendar_month"] - 1 + np.asarray(month)) / 12)

    @staticmethod
    def seasonal(wave, offset, y):
        """Winter's log-odds that scores do not know of."""
        beta = 0.0
        for _ in range(8):
            p = sigmoid(offset + beta * wave)
            beta += float((wave * (y - p)).sum() / (wave**2 * p * (1 - p)).sum())
        return beta

    @staticmethod
    def ill(design):
        """(n,) by age, admissions and length of stay."""
        return design[:, 1:4] @ np.array([0.4, 0.7, 0.6])

    def who(self, month):
        """(log of how many came to sites that we know, by how much they are more ill: the median site)."""
        shifts = [self.ill(month.design[month.site == s]).mean() - self.usual_ill[s]
                  for s in self.sites if (month.site == s).any()]  # fmt: skip
        return math.log(max(np.isin(month.site, self.sites).sum(), 1)), float(np.median(shifts)) if shifts else 0.0

    def likeness(self, design, score):
        """(p,) weights of the linear model of these scores, near the last where scores do not tell."""
        # Scores near 0 and 1 are cut by rounding.
        root = np.sqrt(score * (1 - score) + 1e-6)
        x, rest = design * root[:, None], (logit(score) - design @ self.weights) * root
        return self.weights + np.linalg.solve(x.T @ x + 0.01 * np.eye(x.shape[1]), x.T @ rest)

    # A month.

    def month(self, batch):
        """What to do after this month, as a list of actions."""
        batch = spelling.plain(batch)
        frame = table(batch)
        if frame is None or batch["month"] <= self.last:
            return []
        self.last = batch["month"]
        read, masks = self.board.as_read(frame)
        actions, wrong = self.board.review(frame)
        design = self.stand_in(self.scores.design(read), masks)
        offset = logit(frame["score"]) + self.winter * float(self.wave(self.last))
        n, site = len(frame), frame["site"].to_numpy(object)
        now = Month(self.last, batch["release_id"], design, site, offset, ~wrong, np.zeros(n), np.zeros(n, bool))
        self.months[self.last] = now
        self.place |= {name: (self.last, row) for row, name in enumerate(frame["encounter"])}
        self.outcomes(batch["labels"])
        actions += self.released(now, frame["score"].to_numpy(float))
        actions += self.shocked(now)
        actions += self.answered(batch["reports"])
        return actions + self.improved(now.release)

    def stand_in(self, design, masks):
        """What the other features say in place of masked values, as last year's patients had it."""
        for j in np.flatnonzero(masks.any(axis=0)):
            others = np.delete(np.arange(1 + len(NUMBERS) + len(self.scores.codes)), 1 + j)
            if j not in self.stands:
                self.stands[j] = np.linalg.lstsq(self.design[:, others], self.design[:, 1 + j], rcond=None)[0]
            design[masks[:, j], 1 + j] = design[np.ix_(masks[:, j], others)] @ self.stands[j]
        return design

    def outcomes(self, labels):
        """Outcomes that came; one that comes again replaces itself."""
        for name, y, final in zip(labels["encounter"], labels["y"], labels["matured"], strict=True):
            number, row = self.place.get(name, (None, 0))
            if number is not None and y in (0, 1):
                month = self.months[number]
                month.y[row], month.judged = y, True
                month.final[row] |= bool(final)

    def since(self, first, closed=False):
        """Months from `first` whose readmissions are complete; closed: whose outcomes are all final."""
        found = [m for number, m in sorted(self.months.items()) if number >= first]
        return [m for m in found if (m.final.all() if closed else m.judged)]

    # Releases.

    def released(self, now, score):
        """A vendor's release: the same patients of last year, by the model before and by this one."""
        before, self.weights = self.weights, self.likeness(now.design, score)
        vendor = now.release.partition("+")[0]
        if vendor in self.vendors:
            return []
        self.vendors.add(vendor)
        mean, error = stats.Mean(), stats.SEM()
        for loss in self.added(self.design, self.y, self.base, self.weights).tolist():
            mean.update(loss)
            error.update(loss)
        if mean.get() * mean.n > WORSE and mean.get() > SURELY * error.get():
            return self.back("bad_release", before)
        if self.own:
            rows = [(m.design[m.usable], m.y[m.usable]) for m in self.since(self.own.since)]
            added = sum(self.added(x, y, before, self.weights).sum() for x, y in rows)
            if self.own.since > now.number - 4 or added > WORSE_NOW:
                return self.back(self.own.cause, before)
        self.base, self.own, self.case = self.weights, None, None
        self.review.renew(now.number, self.y.sum() / 2, self.y.sum() / 2)
        return []

    @staticmethod
    def added(design, y, before, after):
        """(n,) log loss of one set of weights less that of another."""
        a, b = design @ before, design @ after
        return y * (a - b) - np.logaddexp(0, a) + np.logaddexp(0, b)

    def back(self, cause, weights):
        """To the model before this one."""
        self.weights = weights
        return [{"type": "rollback", "cause": cause, "confidence": 0.9}]

    # Shocks.

    def shocked(self, now):
        """Fewer patients and sicker ones at once, at all sites; over when neither is so."""
        rest = np.array(self.who(now)) - np.array([1.0, float(self.wave(now.number))]) @ self.seasons
        few = self.fewer.update(self.people[0].score(rest[0]), now.number) and rest[0] < -FEWER
        sick = self.sicker.update(self.people[1].score(rest[1]), now.number) and rest[1] > SICKER
        if self.shock is None:
            if not (few and sick):
                return []
            self.shock, now.shock = now.number, True
            self.case = Case(Finding("temporary_shock", "", now.number))
            return self.alert("temporary_shock")
        if rest[0] < -FEWER or rest[1] > 2 * SICKER:
            now.shock = True
            return []
        self.shock, self.case = None, None
        if self.own and self.own.cause == "temporary_shock":
            self.own = self.earlier
            return self.back("temporary_shock", self.base)
        return []

    # Outcomes and models.

    def improved(self, release):
        """Asks for a model where outcomes say that the running one is wrong."""
        finding, unsure = self.review.update(self.since(0), release)
        if self.shock is None and self.case is None:
            if finding is None:
                return self.alert("") if unsure and not self.told else []
            own = self.own
            if own and own.cause == "prevalence_shift":
                # A rest of what was corrected on few months, or what was taken for a level.
                rest = finding.site == own.site and abs(finding.size) < abs(own.size)
                if rest or finding.cause == "concept_drift":
                    finding = replace(finding, since=own.since)
            self.case = Case(finding)
        if self.case is None:
            return []
        asked = self.request(self.case)
        cause = self.case.finding.cause
        return asked or ([] if cause == "temporary_shock" else self.alert(cause, self.case.finding.site))

    def alert(self, cause, site=""):
        """Says so once for each model."""
        if cause in self.told:
            return []
        self.told.add(cause)
        action = {"type": "alert", "confidence": 0.85 if cause else 0.5} | ({"site": site} if site else {})
        return [action | ({"cause": cause} if cause else {})]

    def request(self, case):
        """A training on the closed months since, when there are events enough."""
        finding = case.finding
        months = self.since(finding.since, closed=True)
        retrain = finding.cause == "concept_drift"
        events = sum(m.y[(m.site == finding.site) | (not finding.site)].sum() for m in months)
        enough = events >= max(self.card["min_events"], PLAN["data"]["min_events"])
        enough = enough and len(months) >= (MONTHS_FOR_WEIGHTS if retrain else 1)
        if not enough or case.tries >= TRIES or self.last < case.asked + AGAIN:
            return []
        if finding.cause == "temporary_shock":
            offset, y = (np.concatenate([getattr(m, k)[m.usable] for m in months]) for k in ("offset", "y"))
            if abs(moved(offset, y)) < 0.4 or gain(offset, y, moved(offset, y)) < 7:
                return []
        case.tries, case.asked, self.pending = case.tries + 1, self.last, case
        most = min(len(months), self.card["most_train_months"], PLAN["data"]["train_months"][1])
        action = {"type": "retrain" if retrain else "recalibrate", "train_months": most}
        action |= {"cause": finding.cause, "confidence": 0.85}
        return [action | ({"site": finding.site} if finding.site else {})]

    def answered(self, reports):
        """Deploys what meets every rule of plan.json, and rejects the rest."""
        actions = []
        for report in reports:
            if not isinstance(report, dict) or "id" not in report:
                continue
            good = accepted(report)
            actions.append({"type": "deploy" if good else "reject", "report": report["id"]})
            case = self.pending
            if good and case:
                if case.finding.cause == "temporary_shock":
                    self.earlier = self.own
                self.own, self.told = case.finding, set()
                self.case = None if self.case is case else self.case
                events = float(report["events"])
                kept = events if report["kind"] == "retrain" else self.review.weights_doubt
                self.review.renew(self.last + 1, events, kept)
            elif self.case is case and case and case.tries >= TRIES:
                self.case = None  # to be found again on outcomes still to come
                self.review.renew(self.last - 1, self.review.level_doubt, self.review.weights_doubt)
        return actions


def accepted(report):
    """Whether a report meets every rule of the plan."""
    now, new = report.get("current"), report.get("candidate")
    if report.get("refused") or not now or not new or report["events"] < PLAN["data"]["min_events"]:
        return False
    gains = {field: new[field] - now[field] for field in ("net_benefit", "auroc")}
    gains["o_e_error"] = abs(math.log(max(now["o_e"], 1e-6))) - abs(math.log(max(new["o_e"], 1e-6)))
    return all(gains[rule["field"]] >= rule["at_least"] for rule in PLAN["accept"])
