"""Rules for outcomes: observed over expected, held to the months of the reference year."""

import numpy as np

SURER = 1.5  # times the largest difference of the reference year
GROUP = 15  # expected readmissions that a group must have


def log_ratio(table):
    """log(observed / expected), with half a case added to both."""
    return float(np.log((table["y"].sum() + 0.5) / (table["expected"].sum() + 0.5)))


def level(table):
    """The table with expected readmissions moved by one shift of log-odds, so that their sum is what was observed."""
    logit = np.log(table["expected"] / (1 - table["expected"]))
    low, high = -5.0, 5.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-logit - middle))).sum() < table["y"].sum() else (low, middle)
    return table.assign(expected=1 / (1 + np.exp(-logit - low)))


class Outcomes:
    """What was usual in the reference year, and the rules that months are held to."""

    def __init__(self, card, table, features):
        self.first = card["first_calendar_month"] - 1
        self.middles = table[features].median()
        table = table.assign(calendar=(self.first + table["month_of"]) % 12, month=table["month_of"])
        ratio = {m: part["y"].sum() / part["score"].sum() for m, part in table.groupby("calendar")}
        # What is usual: a month against its neighbours in the year, so that it is not held to itself.
        self.winter = {m: np.mean([ratio[(m + d) % 12] for d in (-1, 1)]) for m in ratio}
        table = self.expected(table)
        self.usual = {"": SURER * max(abs(log_ratio(part)) for _, part in table.groupby("month_of"))}
        for site, own in table.groupby("site"):
            self.usual[site] = SURER * max(abs(log_ratio(part)) for _, part in own.groupby("month_of"))
        pairs = [table[table["month_of"].isin((m, m + 1))] for m in range(-12, -1)]
        # Winter, smoothed over three months: each of them has some eighty readmissions only.
        self.winter = {m: np.mean([ratio[(m + d) % 12] for d in (-1, 0, 1)]) for m in ratio}
        self.shape = SURER * max(abs(r) for pair in pairs for r in self.tilts(pair).values())

    def expected(self, table):
        """Scores and the time of the year."""
        calendar = (self.first + table["month"]) % 12
        return table.assign(expected=(table["score"] * calendar.map(self.winter)).clip(0.001, 0.95))

    def tilts(self, table):
        """Feature -> log(O/E) of those above its usual median less that of the others, the level allowed for."""
        table, out = level(table), {}
        for name, middle in self.middles.items():
            high, low = table[table[name] > middle], table[table[name] <= middle]
            if min(high["expected"].sum(), low["expected"].sum()) > GROUP:
                out[name] = log_ratio(high) - log_ratio(low)
        return out

    def suspicious(self, table):
        """Whether the last month alone is further off than any of the reference year."""
        return (
            len(table) > 0
            and abs(log_ratio(self.expected(table[table["month"] == table["month"].max()]))) > self.usual[""]
        )

    def finding(self, table, last=False):
        """(cause, site, onset) that the last months agree in, or None. last: decide even where it is doubtful."""
        months = sorted(table["month"].unique())
        if len(months) < 2:
            return None
        table = self.expected(table)
        for width in (2, 3, 4):
            if len(months) < width:
                break
            window = table[table["month"] >= months[-width]]
            tilt, second = sorted([0, 0, *map(abs, self.tilts(window).values())])[:-3:-1]
            if tilt > self.shape and second > self.shape / 2:
                return "concept_drift", "", int(months[-width])
            for site, own in window.groupby("site"):
                rest = window[window["site"] != site]
                apart = abs(log_ratio(own)) > self.usual.get(site, 1.0) and own["expected"].sum() > GROUP
                if apart and abs(log_ratio(rest)) < self.usual[""] / 2 and self.same_side(own, log_ratio(own)):
                    return "prevalence_shift", site, self.since(table[table["site"] == site], months, width, site)
            # Weights that changed change the level too: where that may be it, another month is waited for.
            doubtful = tilt > self.shape * 0.67 and width < 4
            off = log_ratio(window)
            if abs(off) > self.usual[""] and self.same_side(window, off) and not doubtful:
                return "prevalence_shift", "", self.since(table, months, width, "")
        return None

    @staticmethod
    def same_side(window, off):
        """Whether every month of the window is off in the same direction."""
        return all(log_ratio(part) * off > 0 for _, part in window.groupby("month"))

    def since(self, table, months, width, site):
        """The first month of those on end that are half as far off as the limit."""
        side = np.sign(log_ratio(table[table["month"] >= months[-width]]))
        first = len(months) - width
        while first and side * log_ratio(table[table["month"] == months[first - 1]]) > self.usual.get(site, 1.0) / 2:
            first -= 1
        return int(months[first])
