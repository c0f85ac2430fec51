"""Outcomes against scores, of all sites together, once they are all known: recalibrates; feeds and releases go unseen."""

import spelling
import math


class Monitor:
    def __init__(self, card):
        self.card, self.last, self.asked, self.since = card, -1, -9, 0
        self.months, self.names = {}, {}

    def start(self, batch):
        batch = spelling.plain(batch)
        pass

    def month(self, batch):
        batch = spelling.plain(batch)
        labels = batch.get("labels")
        if not labels or not batch.get("score") or batch["month"] <= self.last:
            return []
        if len({len(batch[key]) for key in ("score", "encounter", "site")}) > 1:
            return []
        self.last = now = batch["month"]
        self.months[now] = [sum(batch["score"]), sum(s * (1 - s) for s in batch["score"]), 0, False]
        self.names.update(dict.fromkeys(batch["encounter"], now))
        for name, y, matured in zip(labels["encounter"], labels["y"], labels["matured"]):
            if matured and name in self.names:
                month = self.months[self.names[name]]
                month[2:] = month[2] + y, True
        actions = []
        for report in batch["reports"]:
            new, old = report["candidate"], report["current"]
            good = new and new["net_benefit"] >= old["net_benefit"]
            actions.append({"type": "deploy" if good else "reject", "report": report["id"]})
            if good:
                self.since = now + 1
        ready = [m for t, m in sorted(self.months.items()) if t >= self.since and m[3]][-2:]
        if len(ready) == 2 and now >= self.asked + 3:
            winter = 0.25 * math.cos(2 * math.pi * (self.card["first_calendar_month"] - 1 + now - 3.5) / 12)
            expected, spread, seen = (sum(m[k] for m in ready) for k in range(3))
            far = (seen - expected - winter * spread) / spread**0.5
            if abs(far) > 4:
                self.asked = now
                actions.append({"type": "recalibrate", "train_months": 2, "cause": "prevalence_shift"})
        return actions
