"""Plumbing from the starter: batches as tables, checked, and a ledger of outcomes as they arrive."""

import pandas as pd

TEXTS = ("diagnosis", "site", "encounter")


def rows(batch, card):
    """One row per encounter; None when the batch is not a month of readable encounters."""
    try:
        table = pd.DataFrame({name: batch["X"][name] for name in [*card["features"], "diagnosis"]})
        for name in ("site", "encounter", "score", "month_of"):
            if name in batch:
                if len(batch[name]) != len(table):
                    return None
                table[name] = batch[name]
        numbers = [name for name in table if name not in TEXTS]
        if any(isinstance(value, str) for name in numbers for value in table[name]):
            return None
        table[numbers] = table[numbers].apply(pd.to_numeric)
        labels = pd.DataFrame({name: batch["labels"][name] for name in ("encounter", "y", "matured")})
        usable = len(table) and table["score"].notna().all() and labels["y"].isin([0, 1]).all()
        return table if usable and isinstance(batch["reports"], list) and "release_id" in batch else None
    except (KeyError, TypeError, ValueError):
        return None


class Ledger:
    """Every encounter seen so far, with its outcome once that is known.

    A month can be judged as soon as outcomes of it come, for all readmissions come at once: whoever is not among them
    has not come back. A model is trained on it only once it is closed, when everybody's outcome is there.
    """

    def __init__(self):
        self.table = pd.DataFrame()

    def add(self, month, table, labels):
        """Add a month's encounters and the outcomes that came with it. An outcome that comes again replaces itself."""
        table = table.assign(month=month, y=0.0, judged=False, closed=False)
        self.table = pd.concat([self.table, table], ignore_index=True)
        came = pd.DataFrame(labels).drop_duplicates("encounter", keep="last").set_index("encounter")
        here = self.table["encounter"].isin(came.index)
        names = self.table.loc[here, "encounter"]
        self.table.loc[here, "y"] = came["y"].reindex(names).to_numpy(float)
        self.table.loc[here, "closed"] = came["matured"].reindex(names).to_numpy(bool)
        months = self.table.loc[here, "month"].unique()
        self.table.loc[self.table["month"].isin(months), "judged"] = True

    def spoil(self, month):
        """A month whose scores say nothing."""
        self.table.loc[self.table["month"] == month, "spoiled"] = True

    def judged(self, since):
        """Encounters from a month on whose readmissions are all known, but for those whose feed was wrong."""
        table = self.table
        return table[table["judged"] & ~table["spoiled"] & (table["month"] >= since)]

    def closed(self, since):
        """Encounters of months from a month on whose outcomes are all known."""
        whole = self.table.groupby("month")["closed"].transform("all")
        return self.table[whole & (self.table["month"] >= since)]
