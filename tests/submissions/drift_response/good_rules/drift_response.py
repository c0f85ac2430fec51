"""A policy of rules: feeds are held to their own year, outcomes to two months on end, releases to last year's model."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import spelling
from feeds import Feeds
from helpers import Ledger, rows
from outcomes import Outcomes

PLAN = json.loads(Path(__file__).with_name("plan.json").read_text(encoding="utf-8"))
MOST = {entry["type"]: entry["most_per_year"] for entry in PLAN["modifications"]}
RETRAIN_ON = 3, 120  # closed months of the new kind, and readmissions in them
FEWEST = 100  # encounters from which a release is judged
OTHERWISE = 0.5  # of the largest weight: what no sound release moves another one by
AGAIN = 3  # months until the same is asked for again
FEW, MORE = 200, 3  # a correction made on fewer readmissions is made anew when there are so many times as many
SICK = 2.0  # sd of the reference year's months: so ill are patients in a shock
THIN = 0.9  # of the usual number of patients: elective ones stay away in a shock


class Monitor:
    """One stream: created, shown the reference year, then asked once a month."""

    def __init__(self, card):
        self.card, self.ledger = card, Ledger()
        self.names = list(card["features"])
        self.last = -1
        self.epoch = self.weights = 0  # the first months that the running model, and that its weights scored
        self.own, self.asked, self.wanted = None, -9, None  # own: what the running model was made for
        self.alerted, self.done = set(), []
        self.sick, self.shocks = {}, 0  # month -> how ill patients were at each site, in sd; models made for a shock

    def start(self, batch):
        """The year before the stream begins, with all its outcomes."""
        batch = spelling.plain(batch)
        table = rows(batch, self.card)
        labels = pd.DataFrame(batch["labels"])[["encounter", "y"]]
        table = table.merge(labels, on="encounter", how="left")
        self.release, self.seen = batch["release_id"], {batch["release_id"]}
        self.feeds = Feeds(self.card, table)
        self.outcomes = Outcomes(self.card, table, self.names)
        self.centre, self.scale = table[self.names].median(), table[self.names].std()
        months = [part for _, part in table.groupby("month_of")]
        self.uses = np.mean([self.used(part) for part in months], axis=0)
        self.signs = np.sign(self.uses)
        ill = pd.DataFrame([self.illness(part) for part in months])
        self.usual, self.wander = ill.mean(), (ill - ill.mean()).mean(axis=1).std()
        self.normal = table["site"].isin(self.usual.index).sum() / len(months)

    def month(self, batch):
        """What to do after this month, as a list of actions."""
        batch = spelling.plain(batch)
        table = rows(batch, self.card) if isinstance(batch, dict) else None
        if table is None or type(batch.get("month")) is not int or batch["month"] <= self.last:
            return []
        self.last = month = batch["month"]
        mended = self.feeds.mended(table)
        actions, wrong = self.feeds.check(month, table)
        mended = mended.assign(spoiled=mended["site"].isin(wrong), release=batch["release_id"])
        self.ledger.add(month, mended, batch["labels"])
        clean = mended[~mended["spoiled"]]
        actions += self.released(batch["release_id"], clean) + self.shocked(clean, table)
        actions += self.reported(batch["reports"])
        actions += self.judged()
        self.done += [(month, action["type"]) for action in actions]
        return actions

    def may(self, kind):
        """Whether the plan has room for another one this year."""
        return sum(month > self.last - 12 and done == kind for month, done in self.done) < MOST[kind]

    def runs(self, first, own):
        """Another model runs from a month on."""
        self.epoch, self.own, self.asked, self.alerted = first, own, -9, set()

    # Releases.

    def used(self, table):
        """(features,) how a model uses each: weights that give the log-odds of its scores, by least squares."""
        score = table["score"].clip(0.002, 0.998).to_numpy()
        places = np.column_stack([np.ones(len(table)), self.outcomes.places(table)])
        return np.linalg.lstsq(places, np.log(score / (1 - score)), rcond=None)[0][1:]

    def released(self, release, clean):
        """A vendor's release came by itself: does it use a feature otherwise, or take our correction away?"""
        if release == self.release or len(clean) < FEWEST:
            return []
        self.release = release
        if "+" in release or release in self.seen:
            return []  # we deployed, or went back
        self.seen.add(release)
        otherwise = abs(self.used(clean) - self.uses).max() > OTHERWISE * abs(self.uses).max()
        if otherwise and (self.own is None or self.own[4] != "retrain"):
            self.ledger.spoil(self.last)
            return self.back("bad_release", self.own)
        return self.back(self.own[0], self.own) if self.own else []

    def back(self, cause, own, times=1):
        """To the model before this one."""
        self.runs(self.last + 1, own)
        return [{"type": "rollback", "cause": cause}] * times

    # Shocks.

    def illness(self, table):
        """Site -> how ill patients are: features on the side of higher scores, in sd."""
        z = (table[self.names] - self.centre) / self.scale
        return (z.clip(-3, 3) * self.signs).groupby(table["site"]).mean().mean(axis=1)

    def shocked(self, clean, table):
        """Sicker patients at all sites at once, and when they are gone again."""
        ill = (self.illness(clean) - self.usual).dropna()
        if len(ill) < 2:
            return []
        self.sick[self.last] = ill / self.wander
        # The median: a ward that opens at one site is no shock, nor does it prolong one.
        now, before = (self.sick.get(month, pd.Series([0.0])).median() for month in (self.last, self.last - 1))
        thin = table["site"].isin(self.usual.index).sum() < THIN * self.normal
        if self.own and self.own[0] == "temporary_shock" and now < 1 and (before < 1 or not thin):
            times, self.shocks, self.weights = self.shocks, 0, self.last + 1
            return self.back("temporary_shock", None, times)
        if now > SICK and (before > SICK or thin) and (ill > 0).all():
            return self.alert("temporary_shock")
        return []

    def shock_since(self, onset):
        """Whether patients have been sicker from a month on, at every site."""
        since = pd.DataFrame([ill for month, ill in self.sick.items() if month >= onset])
        return len(since) > 1 and (since.mean() > SICK / 4).all() and since.mean().mean() > SICK

    # Outcomes, candidates.

    def judged(self):
        """Asks for a model where months say the same, and says so when it cannot be had yet."""
        known, longer = self.ledger.judged(self.epoch), self.ledger.judged(self.weights)
        case = self.outcomes.finding(known, longer)
        if case is None and self.outcomes.suspicious(known):
            return self.alert("temporary_shock" if self.shock_since(self.last - 2) else "prevalence_shift")
        if case is None or (self.shocks and case[0] == "concept_drift"):
            return self.refined()  # in a shock other patients come back, too, and nobody retrains for some months
        cause, site, onset, off = case
        if not site and self.shock_since(onset):
            cause = "temporary_shock"
        events, months = self.trainable(site, onset)
        if self.last >= self.asked + AGAIN:
            if cause == "concept_drift" and months >= RETRAIN_ON[0] and events >= RETRAIN_ON[1]:
                return self.ask("retrain", cause, site, onset)
            # New weights need months of their own; the level does not.
            least = max(self.card["min_events"], PLAN["protocol"]["data"]["min_events"])
            if off and months and events >= least:
                return self.ask("recalibrate", cause, site, onset)
        return self.alert(cause, site) if self.asked < 0 else []

    def trainable(self, site, onset):
        """(readmissions, months) that a model could be trained on."""
        closed = self.ledger.closed(onset)
        return closed.loc[(closed["site"] == site) | (site == ""), "y"].sum(), closed["month"].nunique()

    def ask(self, kind, cause, site, onset):
        """For a model, where the plan has room for it."""
        if not self.may(kind):
            return []
        events, months = self.trainable(site, onset)
        self.asked, self.wanted = self.last, (cause, site, onset, events, kind)
        months = min(months, self.card["most_train_months"])
        return [{"type": kind, "cause": cause, "train_months": months} | ({"site": site} if site else {})]

    def refined(self):
        """A correction that was made on few readmissions is made anew on more."""
        if self.own is None or self.own[4] == "retrain" or self.last < self.asked + AGAIN:
            return []
        cause, site, onset, events, _ = self.own
        if events > FEW or self.trainable(site, onset)[0] < MORE * events:
            return []
        return self.ask("recalibrate", cause, site, onset)

    def alert(self, cause, site=""):
        """Once for each cause and model."""
        if cause in self.alerted:
            return []
        self.alerted.add(cause)
        return [{"type": "alert", "cause": cause} | ({"site": site} if site else {})]

    def reported(self, reports):
        """Deploys what meets the rules of the plan, and rejects the rest."""
        actions = []
        for report in reports:
            good = self.accepted(report)
            actions.append({"type": "deploy" if good else "reject", "report": report["id"]})
            if good:
                self.shocks = self.shocks + 1 if self.wanted[0] == "temporary_shock" else 0
                if report["kind"] == "retrain":
                    self.weights = self.last + 1
                self.runs(self.last + 1, self.wanted)
        return actions

    @staticmethod
    def accepted(report):
        """Whether a report meets every rule of the plan."""
        now, new = report.get("current"), report.get("candidate")
        if report.get("refused") or not now or not new or report["events"] < PLAN["protocol"]["data"]["min_events"]:
            return False
        gains = {name: new[name] - now[name] for name in ("net_benefit", "auroc")}
        gains["o_e_error"] = abs(math.log(max(now["o_e"], 1e-6))) - abs(math.log(max(new["o_e"], 1e-6)))
        return all(gains[rule["field"]] >= rule["at_least"] for rule in PLAN["protocol"]["accept"])
