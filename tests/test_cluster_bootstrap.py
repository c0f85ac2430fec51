"""The intervals are those of the slow way, drawing patients and computing everything anew, and are honest and quick."""

from __future__ import annotations

import numpy as np
import pytest

from graders.measures import cluster_bootstrap as bootstrap
from graders.measures import subgroup_metrics as measures

THRESHOLD, DRAWS = 0.2, 60
SLOW_TO_FIT = ("slope", "intercept")


def scene(patients=500, seed=1, decimals=6):
    """1.8 encounters a patient, alike in risk: (score, y, patient, need, cells)."""
    rng = np.random.default_rng(seed)
    n = round(1.8 * patients)
    patient = np.concatenate([np.arange(patients), rng.integers(0, patients, n - patients)])
    x = rng.normal(-1.6, 0.6, patients)[patient] + rng.normal(0, 0.6, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-(0.3 + 0.8 * x)))).astype(float)
    score = np.round(1 / (1 + np.exp(-x)), decimals)
    need = np.where(rng.random(n) < 0.1, np.nan, rng.random(n) < score)
    group = rng.choice(3, patients, p=[0.7, 0.25, 0.05])[patient]
    cells = {"": np.ones(n, bool), **{f"race={g}": group == g for g in range(3)}}
    return score, y, patient, need, cells


@pytest.fixture(scope="module", params=[6, 2], ids=["hardly a tie", "many ties"])
def data(request):
    return scene(decimals=request.param)


def redrawn(data, seed):
    """The rows of each draw, each patient's as often as it was drawn."""
    weights = bootstrap.draw_weights(data[2].max() + 1, DRAWS, seed)
    for draw in range(DRAWS):
        yield np.repeat(np.arange(len(data[0])), weights[data[2], draw])


def percentiles(values):
    values = np.array(values)
    usable = values[np.isfinite(values)]
    return np.quantile(usable, [0.025, 0.975]) if 2 * len(usable) >= len(values) else np.array([np.nan, np.nan])


def assert_same(found, expected, metric):
    width = expected[1] - expected[0]
    tolerance = 0.01 * width if metric in SLOW_TO_FIT else 1e-9
    assert [found.lo, found.hi] == pytest.approx(expected, abs=tolerance, nan_ok=True), metric


def test_the_intervals_are_those_of_computing_everything_anew_in_each_draw(data):
    score, y, patient, _, cells = data
    found = bootstrap.evaluate(score, y, patient, cells, THRESHOLD, draws=DRAWS, seed=5)
    for name, inside in cells.items():
        slow = [measures.metrics(score[r], y[r], THRESHOLD) for r in (r[inside[r]] for r in redrawn(data, 5))]
        est = measures.metrics(score[inside], y[inside], THRESHOLD)
        for metric in measures.METRICS:
            assert found[name][metric].est == pytest.approx(est[metric], abs=1e-9)
            assert_same(found[name][metric], percentiles([draw[metric] for draw in slow]), metric)


def test_the_gaps_are_those_of_computing_both_sides_anew_in_each_draw(data):
    score, y, patient, need, cells = data
    known = np.isfinite(need)
    decile = measures.deciles(score, known)
    # Where all but two patients are in the cell, everybody else is nobody in some draws.
    cells = {**cells, "nearly all": ~np.isin(patient, patient[y > 0][:2])}
    found = bootstrap.gap_intervals(score, y, patient, cells, THRESHOLD, need=need, draws=DRAWS, seed=6)
    for name, inside in list(cells.items())[1:]:
        slow = []
        for rows in redrawn(data, 6):
            sides = [rows[inside[rows]], rows[~inside[rows]]]
            cell, others = (measures.metrics(score[r], y[r], THRESHOLD) for r in sides)
            gaps = {metric: cell[metric] - others[metric] for metric in measures.METRICS}
            gaps["o_e"] = cell["o_e"] / others["o_e"] if others["o_e"] > 0 else np.nan
            tables = [measures.by_decile(decile[r], need[r], known[r]) for r in sides]
            gaps["need_ratio"] = float(measures.standardised(*tables[0], *tables[1]))
            slow.append(gaps)
        assert set(found[name]) == set(slow[0])
        for metric in found[name]:
            assert_same(found[name][metric], percentiles([draw[metric] for draw in slow]), metric)
        assert found[name]["need_ratio"].est == pytest.approx(
            measures.need_ratio(score, need, inside, known), nan_ok=True
        )


def test_classes_of_scores_stand_for_single_scores_in_calibration(monkeypatch):
    """With far more scores than classes, in the cell and in everybody else."""
    score, y, patient, _, cells = scene(patients=2500, decimals=9)
    assert len(np.unique(score[cells["race=1"]])) > 4 * bootstrap.NODES
    quick, exact = [], []
    for nodes, into in ((bootstrap.NODES, quick), (len(score), exact)):
        monkeypatch.setattr(bootstrap, "NODES", nodes)
        for intervals in (bootstrap.evaluate, bootstrap.gap_intervals):
            found = intervals(score, y, patient, {"race=1": cells["race=1"]}, THRESHOLD, draws=100, seed=7)
            into += [found["race=1"][metric] for metric in SLOW_TO_FIT]
    for a, b in zip(quick, exact, strict=True):
        assert [a.lo, a.hi] == pytest.approx([b.lo, b.hi], abs=0.01 * (b.hi - b.lo))
        assert a.est == b.est


def test_each_draw_is_of_as_many_patients_as_there_are():
    weights = bootstrap.draw_weights(300, 1000, 8)
    assert weights.shape == (300, 1000)
    assert (weights.sum(0, dtype=int) == 300).all()
    # Poisson but for a trifle: a patient is left out of a share of 1/e of the draws.
    assert (weights == 0).mean() == pytest.approx(np.exp(-1), abs=0.003)
    assert weights.mean(1).std() == pytest.approx(1000**-0.5, rel=0.2)


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others():
    score, y, patient, need, cells = scene()

    def both(seed):
        shared = (score, y, patient, cells, THRESHOLD)
        return (
            bootstrap.evaluate(*shared, draws=DRAWS, seed=seed)["race=1"],
            bootstrap.gap_intervals(*shared, need=need, draws=DRAWS, seed=seed)["race=1"],
        )

    assert both(1) == both(1)
    assert all(a["auroc"].lo != b["auroc"].lo for a, b in zip(both(1), both(2), strict=True))


def test_neither_the_order_of_rows_nor_the_other_cells_matter():
    score, y, patient, _, cells = scene()
    shuffled = np.random.default_rng(3).permutation(len(score))
    there = bootstrap.evaluate(score, y, patient, cells, THRESHOLD, draws=DRAWS, seed=1)["race=1"]
    here = bootstrap.evaluate(
        *(column[shuffled] for column in (score, y, patient)),
        {"race=1": cells["race=1"][shuffled]},
        THRESHOLD,
        draws=DRAWS,
        seed=1,
    )["race=1"]
    for metric in measures.METRICS:
        a, b = there[metric], here[metric]
        assert (a.est, a.lo, a.hi) == pytest.approx((b.est, b.lo, b.hi), abs=1e-9)


def test_where_a_patients_encounters_are_alike_drawing_encounters_is_too_sure():
    rng = np.random.default_rng(9)
    patient = np.repeat(np.arange(400), 6)
    score = np.repeat(rng.uniform(0.05, 0.5, 400), 6)
    y = np.repeat((rng.random(400) < score[::6]).astype(float), 6)
    everybody = {"": np.ones(len(y), bool)}

    def width(unit, metric):
        found = bootstrap.evaluate(score, y, unit, everybody, THRESHOLD, seed=1)[""][metric]
        return found.hi - found.lo

    # Six encounters that say the same are one observation: wider by the root of 6.
    for metric in ("o_e", "auroc", "intercept", "brier"):
        assert width(patient, metric) / width(np.arange(len(y)), metric) == pytest.approx(6**0.5, rel=0.2)


def test_nineteen_of_twenty_intervals_hold_the_truth():
    """The expected o_e and intercept of scores that are right: 1 and 0."""
    held = {"o_e": 0, "intercept": 0}
    for seed in range(100):
        rng = np.random.default_rng(seed)
        patient = rng.integers(0, 300, 540)
        score = rng.uniform(0.05, 0.5, 300)[patient]
        y = (rng.random(540) < score).astype(float)
        found = bootstrap.evaluate(score, y, patient, {"": y >= 0}, THRESHOLD, draws=200, seed=seed)[""]
        held["o_e"] += found["o_e"].lo <= 1 <= found["o_e"].hi
        held["intercept"] += found["intercept"].lo <= 0 <= found["intercept"].hi
    assert all(89 <= count <= 99 for count in held.values()), held


@pytest.mark.parametrize(
    ("score", "y", "missing"),
    [
        ([0.1, 0.3, 0.4, 0.2], [0, 0, 0, 0], {"auroc", "auprc", "slope", "intercept", "sensitivity"}),
        ([0.1, 0.3, 0.4, 0.2], [1, 1, 1, 1], {"auroc", "slope", "intercept", "specificity"}),
        ([0.1, 0.15, 0.12, 0.1], [1, 0, 1, 0], {"ppv"}),
        ([0.1, 0.15, 0.3, 0.4], [0, 0, 1, 1], {"slope"}),
        ([0.3, 0.3, 0.3, 0.3], [0, 1, 0, 1], {"slope"}),
    ],
    ids=["no event", "only events", "no alert", "separable", "one score"],
)
def test_what_cannot_be_computed_has_no_interval(score, y, missing):
    score, y = np.repeat(score, 10), np.repeat(np.array(y, float), 10)
    rest = scene(100)
    n, more = len(score), len(rest[0])
    columns = [np.append(score, rest[0]), np.append(y, rest[1]), np.append(np.arange(n), n + rest[2])]
    cells = {"few": np.arange(n + more) < n}
    for intervals in (bootstrap.evaluate, bootstrap.gap_intervals):
        found = intervals(*columns, cells, THRESHOLD, draws=DRAWS, seed=1)["few"]
        gone = {metric for metric, value in found.items() if np.isnan(value.lo) and np.isnan(value.hi)}
        assert gone == missing == {metric for metric, value in found.items() if np.isnan(value.est)}


@pytest.mark.parametrize("rows", [0, 1, 3], ids=["nobody", "one encounter", "three encounters of one patient"])
def test_one_patient_has_no_interval(rows):
    score, y, patient, need, _ = scene(100)
    patient[:3] = 0
    cells = {"few": np.arange(len(score)) < rows}
    assert set(patient[cells["few"]]) <= {0}
    shared = (score, y, patient, cells, THRESHOLD)
    found = bootstrap.evaluate(*shared, draws=DRAWS, seed=1)["few"]
    gaps = bootstrap.gap_intervals(*shared, need=need, draws=DRAWS, seed=1)["few"]
    assert all(np.isnan([value.lo, value.hi]).all() for value in [*found.values(), *gaps.values()])
    assert np.isnan(found["brier"].est) == (rows == 0)


def test_everybody_has_no_gap():
    score, y, patient, need, cells = scene(100)
    found = bootstrap.gap_intervals(score, y, patient, {"": cells[""]}, THRESHOLD, need=need, draws=DRAWS, seed=1)[""]
    assert list(found) == [*measures.METRICS, "need_ratio"]
    assert all(np.isnan([value.est, value.lo, value.hi]).all() for value in found.values())


def test_a_metric_that_few_draws_have_has_no_interval_and_others_do():
    """Both of two patients are in two draws of five, at least one in six of seven."""
    score, y, patient, _, _ = scene(100)
    inside = np.isin(patient, [0, 1])
    y[inside] = patient[inside] == 0
    found = bootstrap.evaluate(score, y, patient, {"two": inside}, THRESHOLD, seed=1)["two"]
    assert np.isfinite(found["auroc"].est)
    assert np.isnan([found["auroc"].lo, found["auroc"].hi]).all()
    assert np.isfinite([found["brier"].lo, found["brier"].hi]).all()


def test_nobody_at_all_and_no_cell_are_no_error():
    none = np.empty(0)
    found = bootstrap.evaluate(none, none, none.astype(int), {"": none.astype(bool)}, THRESHOLD, draws=DRAWS, seed=1)
    assert all(np.isnan([value.est, value.lo, value.hi]).all() for value in found[""].values())
    score, y, patient, _, _ = scene(20)
    assert bootstrap.evaluate(score, y, patient, {}, THRESHOLD, draws=DRAWS, seed=1) == {}
    assert bootstrap.gap_intervals(score, y, patient, {}, THRESHOLD, draws=DRAWS, seed=1) == {}
