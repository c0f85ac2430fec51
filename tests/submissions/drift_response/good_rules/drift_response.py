"""A policy of rules: feeds are held to their own year, outcomes to two months on end, releases to the one before."""

import spelling
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
from feeds import Feeds
from helpers import Ledger, rows
from outcomes import Outcomes

PLAN = json.loads(Path(__file__).with_name("plan.json").read_text(encoding="utf-8"))["protocol"]
RETRAIN_ON = 3  # closed months of the new kind
FEWEST = 100  # encounters from which a release is judged
AGAIN = 3  # months until the same is asked for again


class Monitor:
    """One stream: created, shown the reference year, then asked once a month."""

    def __init__(self, card):
        self.card, self.ledger = card, Ledger()
        self.names = list(card["features"])
        self.last, self.epoch = -1, 0  # epoch: the first month that the running model scored
        self.case, self.asked, self.own = None, -9, None  # own: the finding that the running model was made for
        self.alerted, self.shock = set(), False

    def start(self, batch):
        """The year before the stream begins, with all its outcomes."""
        batch = spelling.plain(batch)
        table = rows(batch, self.card)
        labels = pd.DataFrame(batch["labels"])[["encounter", "y"]]
        table = table.merge(labels, on="encounter", how="left")
        self.release = batch["release_id"]
        self.feeds = Feeds(self.card, table)
        self.outcomes = Outcomes(self.card, table, self.names)
        self.centre, self.scale = table[self.names].median(), table[self.names].std()
        months = [part for _, part in table.groupby("month_of")]
        ranks = pd.DataFrame([self.ranks(part) for part in months])
        self.signs = np.sign(ranks.mean())
        margin = (ranks.max() - ranks.min()) / 2
        self.lowest, self.highest = ranks.min() - margin, ranks.max() + margin
        ill = pd.DataFrame([self.illness(part) for part in months])
        self.sites, self.sicker, self.sickest = list(ill), ill.quantile(0.75), ill.mean(axis=1).max()
        self.fewest = min(map(len, months))
        self.normal = pd.Series(map(len, months)).median()

    def month(self, batch):
        """What to do after this month, as a list of actions."""
        batch = spelling.plain(batch)
        table = rows(batch, self.card) if isinstance(batch, dict) else None
        if table is None or type(batch.get("month")) is not int or batch["month"] <= self.last:
            return []
        self.last = month = batch["month"]
        mended = self.feeds.mended(table)
        actions, wrong = self.feeds.check(month, table)
        mended["spoiled"] = mended["site"].isin(wrong)
        self.ledger.add(month, mended, batch["labels"])
        clean = mended[~mended["spoiled"]]
        actions += self.released(batch["release_id"], clean)
        actions += self.shocked(clean, len(table[table["site"].isin(self.sites)]))
        return actions + self.reported(batch["reports"]) + self.judged()

    def runs(self, first, own):
        """Another model runs from a month on."""
        self.epoch, self.own, self.case, self.asked, self.alerted = first, own, None, -9, set()

    # Releases.

    def ranks(self, table):
        """Feature -> rank correlation with the score: how a model uses it."""
        here = table[self.names].dropna(axis=1, thresh=len(table) // 2)
        return here.rank().corrwith(table["score"].rank()).reindex(self.names)

    def released(self, release, clean):
        """A vendor's release came by itself: does it use a feature otherwise, or undo what we corrected?"""
        before, self.release = self.release, release
        ours = self.epoch == self.last  # we deployed, or went back, last month
        if release == before or "+" in release or ours or len(clean) < FEWEST:
            return []
        ranks = self.ranks(clean)
        odd = (ranks < self.lowest) | (ranks > self.highest)
        otherwise = odd.sum() >= 2 or (odd & (ranks * self.signs < 0)).any()
        if otherwise and (self.own is None or self.own[0] != "concept_drift"):
            return self.back("bad_release", self.own)
        return self.back(self.own[0], self.own) if self.own else []

    def back(self, cause, own):
        """To the model before this one."""
        self.runs(self.last + 1, own)
        return [{"type": "rollback", "cause": cause}]

    # Shocks.

    def illness(self, table):
        """Site -> how ill patients are: features on the side of higher scores, in sd."""
        z = (table[self.names] - self.centre) / self.scale
        return (z.clip(-3, 3) * self.signs).groupby(table["site"]).mean().mean(axis=1)

    def shocked(self, clean, n):
        """Fewer patients, and sicker ones at all sites at once."""
        ill = self.illness(clean).reindex(self.sites).dropna()
        sick = len(ill) > 1 and (ill > self.sicker[ill.index]).all() and ill.mean() > self.sickest
        few = n < 0.95 * self.normal and n < 1.02 * self.fewest
        if not self.shock and sick and few:
            self.shock, self.case = True, ("temporary_shock", "", self.last)
            return [{"type": "alert", "cause": "temporary_shock"}]
        if self.shock and not sick and n > self.fewest:
            self.shock = False
            if self.own and self.own[0] == "temporary_shock":
                return self.back("temporary_shock", None)
            self.runs(self.last, self.own)
        return []

    # Outcomes, candidates.

    def judged(self):
        """Asks for a model where two months say the same, and says so when it cannot be had yet."""
        known = self.ledger.judged(self.epoch)
        if self.case is None:
            self.case = self.outcomes.finding(known)
        if self.case is None:
            return self.alert("") if self.outcomes.suspicious(known) else []
        cause, site, onset = self.case
        closed = self.ledger.closed(onset)
        events = closed.loc[(closed["site"] == site) | (site == ""), "y"].sum()
        months = closed["month"].nunique()
        enough = events >= max(self.card["min_events"], PLAN["data"]["min_events"])
        if cause == "temporary_shock" and not (len(known) and self.outcomes.suspicious(known)):
            return []
        if enough and months >= (RETRAIN_ON if cause == "concept_drift" else 1) and self.last >= self.asked + AGAIN:
            self.asked = self.last
            kind = "retrain" if cause == "concept_drift" else "recalibrate"
            months = min(months, self.card["most_train_months"])
            return [{"type": kind, "cause": cause, "train_months": months} | ({"site": site} if site else {})]
        return self.alert(cause, site) if self.asked < 0 and cause != "temporary_shock" else []

    def alert(self, cause, site=""):
        """Once for each cause and model."""
        if cause in self.alerted:
            return []
        self.alerted.add(cause)
        return [{"type": "alert"} | ({"cause": cause} if cause else {}) | ({"site": site} if site else {})]

    def reported(self, reports):
        """Deploys what meets the rules of the plan, and rejects the rest."""
        actions = []
        for report in reports:
            good = self.accepted(report)
            actions.append({"type": "deploy" if good else "reject", "report": report["id"]})
            if good and self.case:
                self.runs(self.last + 1, self.case)
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
