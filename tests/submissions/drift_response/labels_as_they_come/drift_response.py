"""Outcomes are judged and trained on as they come: who has none yet is left out."""

import base_solution as base

import outcomes


def arrived(months):
    keep = [m.known & ~m.wrong for m in months]
    parts = [(m.design, m.site, m.offset, m.y) for m in months]
    return tuple(base.np.concatenate([part[k][r] for part, r in zip(parts, keep)]) for k in range(4))


class History(outcomes.History):
    def add(self, month):
        super().add(month)
        month.known = base.np.zeros(len(month.y), bool)

    def outcomes(self, labels):
        for name in labels["encounter"]:
            if name in self.where:
                number, row = self.where[name]
                self.months[number].known[row] = True
        super().outcomes(labels)


outcomes.rows = arrived
outcomes.LEAST, outcomes.CLEAR = 0.1, 2.0  # all patients of some months seem to be more ill now
base.History = History
Monitor = base.Monitor
