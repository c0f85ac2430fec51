"""Plumbing: batches as tables, the reference year by site, and a ledger of outcomes as they arrive."""

import pandas as pd


def rows(batch):
    """One row per encounter: the features, site, encounter, score (and month_of in the reference year)."""
    table = pd.DataFrame(batch["X"])
    for name in ("site", "encounter", "score", "month_of"):
        if name in batch:
            table[name] = batch[name]
    return table


class Reference:
    """What was usual in the reference year, at each site and in all. A column that holds texts has no quantiles."""

    def __init__(self, table, labels):
        self.table = table.merge(pd.DataFrame(labels)[["encounter", "y"]], on="encounter", how="left")
        numbers = table.select_dtypes("number").columns.drop("month_of")
        by_site = table.groupby("site")[list(numbers)]
        self.quantiles = by_site.quantile([0.05, 0.25, 0.5, 0.75, 0.95])  # (site, quantile) x feature
        self.missing = by_site.agg(lambda values: values.isna().mean())  # site x feature
        self.codes = table.groupby("site")["diagnosis"].value_counts(normalize=True)  # (site, code)
        self.share = table["site"].value_counts(normalize=True)  # site


class Ledger:
    """Every encounter seen so far, with its outcome once that is known."""

    def __init__(self):
        self.table = pd.DataFrame()

    def add(self, month, table, labels):
        """Add a month's encounters and the outcomes that came with it. An outcome that comes again replaces itself."""
        table = table.assign(month=month, y=float("nan"), matured=False)
        self.table = pd.concat([self.table, table], ignore_index=True)
        came = pd.DataFrame(labels)
        if len(came):
            came = came.drop_duplicates("encounter", keep="last").set_index("encounter")
            here = self.table["encounter"].isin(came.index)
            names = self.table.loc[here, "encounter"]
            self.table.loc[here, "y"] = came["y"].reindex(names).to_numpy(float)
            self.table.loc[here, "matured"] = came["matured"].reindex(names).to_numpy(bool)

    def matured(self):
        """Encounters of months whose outcomes are all known."""
        if self.table.empty:
            return self.table
        whole = self.table.groupby("month")["matured"].transform("all")
        return self.table[whole]
