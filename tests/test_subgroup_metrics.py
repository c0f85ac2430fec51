"""The ten metrics agree with the libraries that have them, and with hand calculation where none has."""

from __future__ import annotations

import numpy as np
import pytest

from graders.measures import subgroup_metrics as measures

THRESHOLD = 0.2


def scored(n=3000, seed=1, decimals=6):
    """Scores that are somewhat too low and too spread, and outcomes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-1.6, 0.9, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-(0.3 + 0.8 * x)))).astype(float)
    return np.round(1 / (1 + np.exp(-x)), decimals), y


@pytest.fixture(scope="module", params=[6, 2], ids=["hardly a tie", "many ties"])
def data(request):
    return scored(decimals=request.param)


def values(score, y, threshold=THRESHOLD):
    return measures.metrics(np.array(score, float), np.array(y, float), threshold)


def test_the_metrics_are_those_agreed_in_their_order():
    assert tuple(values(*scored(100))) == measures.METRICS
    assert set(measures.METRICS) > set(measures.ratios(measures.Sums.of(*scored(100), THRESHOLD), THRESHOLD))


def test_ranks_and_brier_are_scikit_learns(data):
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    score, y = data
    found = values(score, y)
    assert found["auroc"] == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    assert found["auprc"] == pytest.approx(average_precision_score(y, score), abs=1e-12)
    assert found["brier"] == pytest.approx(brier_score_loss(y, score), abs=1e-12)


def test_slope_and_intercept_are_those_of_statsmodels(data):
    import statsmodels.api as sm

    score, y = data
    x = np.log(score / (1 - score))
    slope = sm.Logit(y, sm.add_constant(x)).fit(disp=0).params[1]
    intercept = sm.GLM(y, np.ones(len(y)), family=sm.families.Binomial(), offset=x).fit().params[0]
    assert values(score, y)["slope"] == pytest.approx(slope, abs=1e-6)
    assert values(score, y)["intercept"] == pytest.approx(intercept, abs=1e-6)


@pytest.mark.parametrize(
    ("a", "b"), [(-6.0, 1.0), (0.0, -3.0), (4.0, 0.1), (8.0, 6.0), (0.0, 30.0)], ids=lambda value: f"{value:g}"
)
def test_calibration_is_found_however_far_from_perfect(a, b):
    """Full Newton steps from (0, 1) do not arrive at the third."""
    import statsmodels.api as sm

    rng = np.random.default_rng(3)
    x = rng.normal(-1.6, 0.9, 4000)
    y = (rng.random(4000) < 1 / (1 + np.exp(-(a + b * x)))).astype(float)
    score = 1 / (1 + np.exp(-x))
    # At the optimum the residuals add up to 0, and so do their products with the logit.
    found_a, found_b = measures.calibration(score, y)
    residuals = y - 1 / (1 + np.exp(-(found_a + found_b * x)))
    assert residuals.sum() == pytest.approx(0, abs=1e-6)
    assert (residuals * x).sum() == pytest.approx(0, abs=1e-6)
    assert found_b == pytest.approx(sm.Logit(y, sm.add_constant(x)).fit(disp=0, maxiter=100).params[1], rel=1e-4)
    only_a, one = measures.calibration(score, y, free_slope=False)
    assert (y - 1 / (1 + np.exp(-(only_a + x)))).sum() == pytest.approx(0, abs=1e-6)
    assert one == 1


def test_scores_of_zero_and_one_are_clipped_before_calibration():
    score, y = scored(500)
    ends = np.concatenate([[0.0, 1.0, 0.0], score])
    clipped = np.concatenate([[1e-6, 1 - 1e-6, 1e-6], score])
    y = np.concatenate([[0.0, 1.0, 1.0], y])
    for name in ("slope", "intercept"):
        assert values(ends, y)[name] == pytest.approx(values(clipped, y)[name], abs=1e-9)
        assert np.isfinite(values(ends, y)[name])


def test_counts_by_group_are_those_of_fairlearn(data):
    import fairlearn.metrics as fairlearn
    from sklearn.metrics import precision_score

    score, y = data
    group = np.random.default_rng(2).integers(0, 4, len(y))
    frame = fairlearn.MetricFrame(
        metrics={
            "sensitivity": fairlearn.true_positive_rate,
            "specificity": fairlearn.true_negative_rate,
            "ppv": precision_score,
        },
        y_true=y,
        y_pred=(score >= THRESHOLD).astype(float),
        sensitive_features=group,
    ).by_group
    for name in frame.columns:
        found = [values(score[group == g], y[group == g])[name] for g in frame.index]
        assert found == pytest.approx(frame[name].tolist(), abs=1e-12)


def test_a_score_at_the_threshold_is_an_alert():
    found = values([0.2, 0.2, 0.1999, 0.3], [1, 0, 1, 0])
    assert (found["sensitivity"], found["specificity"], found["ppv"]) == (1 / 2, 0, 1 / 3)


def test_net_benefit_of_ten_encounters_by_hand():
    """At 0.2 a false alarm costs a quarter of a hit: 3 hits and 2 false alarms in 10 are (3 - 2/4)/10."""
    score = [0.9, 0.5, 0.2, 0.3, 0.4, 0.1, 0.1, 0.05, 0.15, 0.0]
    y = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = values(score, y)
    assert found["net_benefit"] == pytest.approx(0.25)
    assert found["o_e"] == pytest.approx(4 / 2.7)
    assert found["ppv"] == pytest.approx(3 / 5)


def test_need_ratio_by_hand():
    """Two scores, so two deciles with anybody in them.

    At .1 the group has 2 with need 1, everybody else 4 with need 1 in 4; at .5 the group has 2 with need 2, everybody
    else 2 with need 1: 3 observed over 2 x 1/4 + 2 x 1/2.
    """
    score = np.array([0.1] * 6 + [0.5] * 4)
    need = np.array([1, 0, 1, 0, 0, 0, 1, 1, 1, 0], float)
    group = np.array([1, 1, 0, 0, 0, 0, 1, 1, 0, 0], bool)
    known = np.ones(10, bool)
    assert measures.need_ratio(score, need, group, known) == pytest.approx(3 / 1.5)
    # Whose need is not known does not count, whatever stands in the column.
    more = [np.append(column, extra) for column, extra in ((score, 0.5), (need, np.nan), (group, True), (known, False))]
    assert measures.need_ratio(*more) == pytest.approx(3 / 1.5)


def test_need_ratio_is_one_for_a_group_picked_at_random_and_more_for_one_in_greater_need():
    rng = np.random.default_rng(4)
    score, _ = scored(40_000)
    group, known = rng.random(40_000) < 0.3, rng.random(40_000) < 0.9
    need = (rng.random(40_000) < score).astype(float)
    assert measures.need_ratio(score, need, group, known) == pytest.approx(1, abs=0.05)
    need[group] = rng.random(group.sum()) < 1.4 * score[group]
    assert measures.need_ratio(score, need, group, known) == pytest.approx(1.4, abs=0.08)


def test_deciles_are_cut_by_the_known_and_given_to_all():
    score = np.arange(200) / 200
    known = score < 0.5
    decile = measures.deciles(score, known)
    assert np.bincount(decile[known]).tolist() == [10] * 10
    assert (decile[~known] == 9).all()


def test_a_group_alone_in_a_decile_has_no_need_ratio():
    score, need = np.linspace(0.05, 0.95, 50), np.ones(50)
    assert np.isnan(measures.need_ratio(score, need, score > 0.5, np.ones(50, bool)))
    assert np.isnan(measures.need_ratio(score, need, np.ones(50, bool), np.ones(50, bool)))
    assert np.isnan(measures.need_ratio(score, need, score > 0.5, np.zeros(50, bool)))


def test_one_score_has_no_slope_whatever_rounding_leaves():
    y = np.arange(37) % 3 == 0
    assert all(np.isnan(values(np.full(37, score), y)["slope"]) for score in np.linspace(0.013, 0.987, 50))


@pytest.mark.parametrize(
    ("score", "y", "missing"),
    [
        ([], [], set(measures.METRICS)),
        ([0.1, 0.3, 0.4], [0, 0, 0], {"auroc", "auprc", "slope", "intercept", "sensitivity"}),
        ([0.1, 0.3, 0.4], [1, 1, 1], {"auroc", "slope", "intercept", "specificity"}),
        ([0.1, 0.15, 0.12, 0.05], [1, 0, 1, 0], {"ppv"}),
        ([0.1, 0.15, 0.3, 0.4], [0, 0, 1, 1], {"slope"}),
        ([0.4, 0.3, 0.3, 0.1], [0, 0, 1, 1], {"slope"}),
        ([0.3, 0.3, 0.3, 0.3], [0, 1, 0, 1], {"slope"}),
        ([0.0, 0.0, 0.0], [0, 1, 0], {"ppv", "o_e", "slope"}),
        ([0.3], [1], {"auroc", "slope", "intercept", "specificity"}),
    ],
    ids=[
        "nobody",
        "no event",
        "only events",
        "no alert",
        "separable",
        "separable but for a tie, the wrong way round",
        "one score",
        "all scores 0",
        "one encounter",
    ],
)
def test_what_cannot_be_computed_is_nan_and_nothing_else_is(score, y, missing):
    found = values(score, y)
    assert {name for name, value in found.items() if not np.isfinite(value)} == missing
    assert all(np.isnan(found[name]) for name in missing)
