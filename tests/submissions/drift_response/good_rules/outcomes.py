"""Rules for outcomes: how many came back against how many were expected, in standard errors, and who they are."""

import numpy as np

SURE, LEAST = 3.5, 0.25  # standard errors, and log(O/E), from which a level is off
SURE_SITE, LEAST_SITE = 4.0, 0.4  # the same of one site: there are several to be wrong about
SURER = 4.0  # standard errors from which one month is enough for an alert
TILT, SECOND = 4.0, 2.5  # standard errors of the first and second feature from which weights have changed
DOUBTFUL = 0.75  # of TILT: another month is waited for
UNSURE = 0.05  # of what is expected: nobody knows the usual level better than that
YEAR = 12  # months that the usual was learnt from
GROUP = 8  # expected readmissions that a site must have
WIDTHS = (2, 3, 4, 6)  # months that are looked at together


def log_ratio(table):
    """log(observed / expected), with half a case added to both."""
    return float(np.log((table["y"].sum() + 0.5) / (table["expected"].sum() + 0.5)))


def errors(table):
    """How many standard errors more came back than were expected."""
    p = table["expected"].to_numpy()
    return float((table["y"].sum() - p.sum()) / np.sqrt((p * (1 - p)).sum() + (UNSURE * p.sum()) ** 2 + 0.1))


def levelled(p, y):
    """Expected readmissions moved by one shift of log-odds, so that their sum is what was observed."""
    logit, shift, goal = np.log(p / (1 - p)), 0.0, np.clip(y.sum(), 0.5, len(y) - 0.5)
    for _ in range(8):
        now = 1 / (1 + np.exp(-logit - shift))
        shift += np.clip((goal - now.sum()) / (now * (1 - now)).sum(), -1, 1)
    return 1 / (1 + np.exp(-logit - shift))


class Outcomes:
    """What was usual in the reference year, and the rules that months are held to."""

    def __init__(self, card, table, features):
        self.first = card["first_calendar_month"] - 1
        self.order = {name: np.sort(table[name].dropna().to_numpy(float)) for name in features}
        self.winter = 0.0
        table = self.expected(table.assign(month=table["month_of"]))
        cold = self.cold(table)
        more = (cold * (table["y"] - table["expected"])).sum() / (cold**2 * table["expected"]).sum()
        self.winter = max(0.0, float(more))

    def cold(self, table):
        """1 in January, -1 in July."""
        return np.cos(2 * np.pi * (self.first + table["month"]) / 12)

    def expected(self, table):
        """Scores and the time of the year."""
        return table.assign(expected=(table["score"] * (1 + self.winter * self.cold(table))).clip(0.002, 0.95))

    def places(self, table):
        """(n, features) where values stand in the reference year, mean 0 and sd 1; 0 where they are missing."""
        columns = []
        for name, order in self.order.items():
            values = table[name].to_numpy(float)
            rank = (np.searchsorted(order, values) + np.searchsorted(order, values, "right")) / 2 / len(order)
            columns.append(np.where(np.isnan(values), 0.0, (rank - 0.5) * np.sqrt(12)))
        return np.column_stack(columns)

    def tilts(self, table):
        """Per feature, by how many standard errors those with high values come back otherwise than those with low ones.

        Levels are allowed for, by site and by model: a shift is no tilt.
        """
        seen, spread = np.zeros(len(self.order)), np.full(len(self.order), 0.1)
        for _, part in table.groupby(["site", "release"]):
            y, x = part["y"].to_numpy(float), self.places(part)
            p = levelled(part["expected"].to_numpy(), y)
            weight = p * (1 - p)
            x = x - weight @ x / weight.sum()
            seen, spread = seen + (y - p) @ x, spread + weight @ x**2
        return np.abs(seen) / np.sqrt(spread * (1 + table["month"].nunique() / YEAR))

    def suspicious(self, table):
        """Whether the last month alone is off."""
        last = self.expected(table[table["month"] == table["month"].max()]) if len(table) else table
        return len(table) > 0 and abs(errors(last)) > SURER and abs(log_ratio(last)) > LEAST

    def finding(self, table, longer):
        """(cause, site, onset, whether the level is off) that the last months agree in, or None.

        table: months that the running model scored.  longer: months since its weights are in use.
        """
        table, longer = self.expected(table), self.expected(longer)
        months, all_months = sorted(table["month"].unique()), sorted(longer["month"].unique())
        for width in WIDTHS:
            tilt = second = 0.0
            if width <= len(all_months):
                second, tilt = sorted(self.tilts(longer[longer["month"] >= all_months[-width]]))[-2:]
            if tilt > TILT and second > SECOND:
                off = len(months) >= WIDTHS[0] and self.off(table[table["month"] >= months[-WIDTHS[0]]])
                return "concept_drift", "", int(all_months[-width]), off
            # Weights that changed change the level too: where that may be it, another month is waited for.
            if width > len(months) or (tilt > DOUBTFUL * TILT and width < WIDTHS[1]):
                continue
            window = table[table["month"] >= months[-width]]
            apart = self.apart(window)
            if apart or self.off(window):
                site = apart[0] if apart else ""
                own = table[(table["site"] == site) | (site == "")]
                return "prevalence_shift", site, self.since(own, months, width), True
        return None

    def apart(self, window):
        """Sites that are off while the others are not: then the whole is not to be moved."""
        found = []
        for site, own in window.groupby("site"):
            rest = abs(errors(window[window["site"] != site]))
            if own["expected"].sum() > GROUP and rest < SURE_SITE / 2 and self.off(own, SURE_SITE, LEAST_SITE):
                found.append(site)
        return found

    @staticmethod
    def off(window, sure=SURE, least=LEAST):
        """Whether a window is off, and every month of it in the same direction by a third of that."""
        all_of_it = errors(window)
        if abs(all_of_it) < sure or abs(log_ratio(window)) < least:
            return False
        return all(errors(part) * np.sign(all_of_it) > sure / 3 for _, part in window.groupby("month"))

    @staticmethod
    def since(table, months, width):
        """The first month of those on end that are half as far off as the last ones."""
        off = log_ratio(table[table["month"] >= months[-width]])
        first = len(months) - width
        while first and log_ratio(table[table["month"] == months[first - 1]]) / off > 0.5:
            first -= 1
        return int(months[first])
