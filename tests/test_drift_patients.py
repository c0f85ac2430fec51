"""Encounters, risk models and events of drift response: what is right by construction, and what each event changes."""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest

from synthetic_data import drift_events, drift_models, drift_noise, drift_patients, drift_stream
from synthetic_data.drift_accounts import Event
from synthetic_data.drift_events import BENIGN, CAUSES, HARMFUL, MONTHS, NEW_SITE, PRACTISED, RESERVE, SHARES, SITES
from synthetic_data.drift_models import RIDGE, Fix, Imputer, Model
from synthetic_data.drift_patients import (
    BASE,
    CROSSWALK,
    DIAGNOSIS,
    FEATURES,
    GROUP_OF,
    GROUPS,
    LABORATORY,
    NAMES,
    TEN_OF,
    TRUE_GROUPS,
    TRUE_WEIGHTS,
    Encounters,
)
from synthetic_data.streams import Seed

SEED = Seed.from_int(20261122)
SIZES = dict(zip(SITES, SHARES, strict=True))
CARD = {"first_calendar_month": 4}
SEEDS = [Seed.from_int(n) for n in range(40)]
DATA = (
    "unit_change",
    "assay_change",
    "coding_change",
    "missing_feed",
    "null_burst",
    "default_value",
    "swapped",
    "decimal_lost",
)
RISK = ("prevalence_shift", "concept_drift", "programme")
MODEL = ("bad_release", "release")
ONSET = 5


@cache
def people(count: int = 4000, number: int = 20261122) -> Encounters:
    """Encounters as they are; nothing happens to them."""
    ids = np.arange(count)
    site = np.array(SITES, object)[ids % len(SITES)]
    return drift_patients.drawn(Seed.from_int(number), ids, site, np.zeros(count))


@cache
def fed(count: int = 4000, month: int = 0) -> Encounters:
    """The same as the feeds of a usual month show them."""
    return drift_noise.as_fed(SEED, month, [*SITES, NEW_SITE], people(count))


@cache
def with_outcomes(count: int, number: int = 20261122) -> tuple[Any, Any]:
    """The design of `people`, and outcomes by the true weights."""
    matrix = drift_patients.design(people(count, number))
    risk = drift_patients.sigmoid(BASE + matrix[:, 1:] @ np.concatenate([TRUE_WEIGHTS, TRUE_GROUPS]))
    return matrix, (Seed.from_int(number).stream("y").uniform(np.arange(count)) < risk).astype(float)


@cache
def stream(number: int) -> drift_stream.Stream:
    return drift_stream.made(Seed.from_int(number), ("covid", "unit_change", "release", "new_site"), 400, CARD)


@cache
def happening(kind: str, number: int = 1) -> drift_events.Planned:
    """An event of this kind that begins in month 5."""
    draw = Seed.from_int(number).stream("events")
    if kind in BENIGN:
        return drift_events.benign(draw, kind, ONSET, SIZES, set(), 10)
    return drift_events.harmful(draw, kind, ONSET, SIZES, 10)


@cache
def month_of(kind: str, month: int, patients: int = 300) -> drift_stream.MonthData:
    """A month of a stream to which just this event happens, "" for none."""
    events = (happening(kind),) if kind else ()
    return drift_stream.month_data(SEED, events, month, SIZES, patients, 4)


def same(a: Encounters, b: Encounters) -> bool:
    return bool(
        np.array_equal(a.number, b.number)
        and np.array_equal(a.site, b.site)
        and np.array_equal(a.x, b.x, equal_nan=True)
        and np.array_equal(a.code, b.code)
    )


def differs(a: Encounters, b: Encounters) -> Any:
    """(n, 10) where two records of the same encounters differ: nine features, then the diagnosis."""
    assert np.array_equal(a.number, b.number)
    x = (a.x != b.x) & ~(np.isnan(a.x) & np.isnan(b.x))
    return np.column_stack([x, a.code != b.code])


def values(**given: float) -> Any:
    """(1, 9) normal values but for those given."""
    return np.array([[given.get(f.name, f.normal) for f in FEATURES]], float)


# Encounters


def test_values_and_their_standard_scores_are_the_same_thing():
    x = people().x
    assert drift_patients.backward(drift_patients.forward(x)) == pytest.approx(x)


def test_standard_scores_are_standard():
    scores = drift_patients.forward(people(20_000).x)
    # Those cut at 0 admissions, at 1 day and at 18 years are not quite normal.
    whole = [NAMES.index(f.name) for f in FEATURES if f.name not in ("admissions", "los", "age")]
    assert scores[:, whole].mean(axis=0) == pytest.approx(np.zeros(len(whole)), abs=0.03)
    assert scores[:, whole].std(axis=0) == pytest.approx(np.ones(len(whole)), abs=0.03)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_value_counts_as_normal(name):
    assert drift_patients.forward(values(**{name: np.nan})) == pytest.approx(drift_patients.forward(values()))


def test_an_absurd_value_does_not_make_an_absurd_score():
    assert np.abs(drift_patients.forward(np.array([[1e9] * 9, [-1e9] * 9, [0] * 9]))).max() == 6


def test_no_true_value_is_missing():
    assert not np.isnan(people().x).any()
    assert set(people().code) == set(GROUP_OF)


@pytest.mark.parametrize("month", range(0, 36, 5))
def test_feeds_lose_laboratory_values_alone(month):
    absent = np.isnan(fed(4000, month).x)
    laboratory = np.isin(NAMES, LABORATORY)
    assert not absent[:, ~laboratory].any()
    assert 0 < absent[:, laboratory].mean() < 0.25
    assert np.array_equal(fed(4000, month).x[:, ~laboratory], people().x[:, ~laboratory])


@pytest.mark.parametrize("month", range(0, 36, 5))
def test_feeds_wander_by_less_than_patients_differ(month):
    gap = drift_patients.forward(fed(4000, month).x) - drift_patients.forward(people().x)
    gap[np.isnan(fed(4000, month).x)] = np.nan
    for site in SITES:
        assert np.abs(np.nanmedian(gap[people().site == site], axis=0)).max() < 1
    # Whoever is at one site is off by as much: only rounding differs.
    assert np.nanstd(gap[people().site == "north"], axis=0).max() < 0.1


def test_feeds_differ_from_month_to_month():
    assert not np.array_equal(fed(4000, 0).x, fed(4000, 1).x, equal_nan=True)


def test_codes_that_the_model_does_not_know_are_few_and_always_there():
    for month in range(0, 36, 5):
        changed = fed(4000, month).code != people().code
        assert 0 < changed.mean() < 0.15
        for new, old in zip(fed(4000, month).code[changed], people().code[changed], strict=True):
            assert new == TEN_OF[old] or (new.startswith("L") and new not in {*CROSSWALK, *GROUP_OF})


def test_the_crosswalk_is_one_to_one_and_covers_all_codes():
    assert set(CROSSWALK.values()) == set(GROUP_OF) == {code for g in GROUPS for code in g.icd9}
    assert len(CROSSWALK) == len(GROUP_OF) == sum(len(g.icd9) for g in GROUPS)
    assert not set(CROSSWALK) & set(GROUP_OF)


def test_both_editions_of_a_code_are_in_one_group():
    for group in GROUPS:
        assert {CROSSWALK[ten] for ten in group.icd10} == set(group.icd9)


def test_a_code_of_the_other_edition_is_in_no_group():
    assert drift_patients.groups_of(np.array(["I50.9", "428.0"], object)).sum(axis=1).tolist() == [0, 1]


def test_groups_come_as_often_as_they_should():
    shares = drift_patients.groups_of(people(20_000).code).mean(axis=0)
    assert shares == pytest.approx([g.share for g in GROUPS], abs=0.01)
    assert sum(g.share for g in GROUPS) == pytest.approx(1)


@pytest.mark.parametrize("make", [people, fed])
def test_an_encounter_does_not_depend_on_how_many_others_there_are(make):
    few, many = make(50), make(4000)
    assert same(few, Encounters(many.number[:50], many.site[:50], many.x[:50], many.code[:50]))


def test_outcomes_do_not_depend_on_how_many_others_there_are():
    few, many = month_of("", 2, 50), month_of("", 2, 300)
    n = len(few.y)
    for name in ("risk", "y", "first"):
        assert np.array_equal(getattr(few, name), getattr(many, name)[:n]), name


def test_no_encounter_is_in_two_months():
    numbers = np.concatenate([data.seen.number for data in stream(0).months.values()])
    assert len(set(numbers.tolist())) == len(numbers)


def test_more_ill_patients_are_at_higher_risk():
    ids, site = np.arange(3000), np.full(3000, "north", object)
    means = []
    for ill in (-1.0, 0.0, 1.0):
        truth = drift_patients.drawn(SEED, ids, site, np.full(3000, ill))
        means.append((drift_patients.design(truth)[:, 1:] @ np.concatenate([TRUE_WEIGHTS, TRUE_GROUPS])).mean())
    assert means[0] + 0.5 < means[1] < means[2] - 0.5


@pytest.mark.parametrize("number", range(4))
def test_one_patient_in_four_to_ten_comes_back(number):
    year = [stream(number).months[m] for m in range(-12, 0)]
    assert 0.10 < np.concatenate([data.y for data in year]).mean() < 0.25


@pytest.mark.parametrize("number", range(4))
def test_a_model_of_other_hospitals_ranks_nearly_as_the_true_risk_does(number):
    year = [stream(number + 1).months[m] for m in range(-12, 0)]
    score = stream(number).model.logit(np.vstack([drift_patients.design(data.seen) for data in year]))
    risk, y = (np.concatenate([getattr(data, name) for data in year]) for name in ("risk", "y"))
    assert drift_models.auroc(score, y) > drift_models.auroc(risk, y) - 0.05


def test_a_fit_on_much_data_finds_the_true_weights():
    matrix, y = with_outcomes(60_000)
    weights = drift_models.fitted(matrix, y, np.zeros(matrix.shape[1]))
    found, groups = weights[1:10], weights[10:]
    assert found == pytest.approx(TRUE_WEIGHTS, abs=0.06)
    # Groups add up to the intercept: only their contrasts are found.
    assert groups - groups.mean() == pytest.approx(TRUE_GROUPS - TRUE_GROUPS.mean(), abs=0.15)


def test_outcomes_come_as_often_as_the_true_risk_says():
    months = stream(0).months.values()
    risk, y = (np.concatenate([getattr(data, name) for data in months]) for name in ("risk", "y"))
    assert y.sum() == pytest.approx(risk.sum(), abs=4 * np.sqrt((risk * (1 - risk)).sum()))


# Models


def test_the_fit_is_that_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    matrix, y = with_outcomes(4000)
    ours = drift_models.fitted(matrix, y, np.zeros(matrix.shape[1]))
    theirs = LogisticRegression(C=1 / RIDGE, tol=1e-10, max_iter=5000).fit(matrix[:, 1:], y)
    assert ours == pytest.approx(np.concatenate([theirs.intercept_, theirs.coef_[0]]), abs=2e-3)


def test_a_refit_from_a_model_near_by_comes_to_the_same():
    matrix, y = with_outcomes(4000)
    usual = drift_models.fitted(matrix, y, np.zeros(matrix.shape[1]))
    near = usual + np.linspace(-0.3, 0.3, len(usual))
    assert drift_models.fitted(matrix, y, near) == pytest.approx(usual, abs=1e-3)


@pytest.mark.parametrize(("shift", "slope"), [(0.0, 1.0), (0.8, 1.0), (-0.8, 1.0), (0.3, 0.5), (0.0, 1.6)])
def test_a_correction_is_coxs_where_data_are_many(shift, slope):
    import statsmodels.api as sm

    logit = SEED.stream("logit").normal(np.arange(20_000)) * 1.3 - 1.5
    chance = drift_patients.sigmoid(shift + slope * logit)
    y = (SEED.stream("y").uniform(np.arange(20_000)) < chance).astype(float)
    theirs = sm.GLM(y, sm.add_constant(logit), family=sm.families.Binomial()).fit().params
    assert drift_models.corrected(logit, y) == pytest.approx(tuple(theirs), abs=5e-3)


def test_a_correction_on_few_data_keeps_its_slope_near_one():
    logit = SEED.stream("logit").normal(np.arange(40))
    y = (SEED.stream("y").uniform(np.arange(40)) < drift_patients.sigmoid(4 * logit)).astype(float)
    many = drift_models.corrected(np.tile(logit, 100), np.tile(y, 100))
    assert 1 < drift_models.corrected(logit, y)[1] < many[1] - 0.5


def test_a_correction_on_no_data_is_none():
    assert drift_models.corrected(np.zeros(0), np.zeros(0)) == pytest.approx((0, 1))


@pytest.mark.parametrize("digits", [1, 6])
def test_the_area_is_that_of_scikit_learn(digits):
    from sklearn.metrics import roc_auc_score

    matrix, y = with_outcomes(4000)
    score = drift_patients.sigmoid(matrix[:, 1:10] @ TRUE_WEIGHTS).round(digits)
    assert drift_models.auroc(score, y) == pytest.approx(roc_auc_score(y, score))


def test_the_area_of_one_class_is_a_half():
    assert drift_models.auroc(np.array([0.1, 0.2]), np.zeros(2)) == 0.5
    assert drift_models.auroc(np.array([0.1, 0.2]), np.ones(2)) == 0.5


def test_a_sites_correction_is_for_that_site_alone():
    matrix, site = with_outcomes(400)[0], people(400).site
    plain = Model("a", np.linspace(-0.5, 0.5, 19))
    moved = dataclasses.replace(plain, correction={"north": (1.0, 2.0)})
    north = site == "north"
    before, after = plain.score(matrix, site), moved.score(matrix, site)
    assert after[~north] == pytest.approx(before[~north])
    assert after[north] == pytest.approx(drift_patients.sigmoid(1 + 2 * plain.logit(matrix[north])))


def test_a_correction_for_all_gives_way_to_a_sites_own():
    matrix, site = with_outcomes(400)[0], people(400).site
    model = Model("a", np.linspace(-0.5, 0.5, 19), {"": (0.5, 1.0), "north": (1.0, 2.0)})
    north = site == "north"
    score, logit = model.score(matrix, site), model.logit(matrix)
    assert score[north] == pytest.approx(drift_patients.sigmoid(1 + 2 * logit[north]))
    assert score[~north] == pytest.approx(drift_patients.sigmoid(0.5 + logit[~north]))


@cache
def imputer() -> Imputer:
    return Imputer.fit(with_outcomes(4000)[0])


def read(fix: Fix | tuple[Fix, ...], month: int, shown: Encounters | None = None) -> Any:
    """The design under a fix."""
    fixes = fix if isinstance(fix, tuple) else (fix,)
    return drift_models.seen(shown or people(), month, fixes, imputer())


@pytest.mark.parametrize("name", NAMES)
def test_what_others_say_of_a_masked_value_is_that_of_scikit_learn(name):
    from sklearn.linear_model import LinearRegression

    matrix, j = with_outcomes(4000)[0], 1 + NAMES.index(name)
    others = np.delete(matrix[:, 1:], j - 1, axis=1)
    theirs = LinearRegression().fit(others, matrix[:, j]).predict(others)
    masked = read(Fix(name, "", "mask", 1.0, 0), 0)
    assert masked[:, j] == pytest.approx(theirs, abs=2e-3)


@pytest.mark.parametrize("site", ["", "south"])
def test_rescaling_multiplies_the_recorded_values(site):
    shown = fed()
    rows = np.full(len(shown), True) if not site else shown.site == site
    x = shown.x.copy()
    x[rows, NAMES.index("bnp")] *= 3.0
    expected = drift_patients.design(dataclasses.replace(shown, x=x))
    assert np.array_equal(read(Fix("bnp", site, "rescale", 3.0, 0), 4, shown), expected)


def test_rescaling_undoes_another_unit():
    plan = happening("unit_change")
    shown = drift_events.recorded(SEED, (plan,), ONSET, people())
    fix = Fix(plan.event.feature[0], plan.event.site[0], "rescale", 1 / plan.size, ONSET)
    j = 1 + NAMES.index(plan.event.feature[0])
    gap = np.abs(read(fix, ONSET, shown)[:, j] - read((), ONSET)[:, j])
    assert np.quantile(gap, 0.99) < 0.05


def test_remapping_undoes_another_edition_of_codes():
    plan = happening("coding_change")
    shown = drift_events.recorded(SEED, (plan,), ONSET, people())
    assert not np.array_equal(read((), ONSET, shown), read((), ONSET))
    assert np.array_equal(read(Fix(DIAGNOSIS, "", "remap", 1.0, 0), ONSET, shown), read((), ONSET))


def test_remapping_leaves_codes_that_the_model_knows():
    assert np.array_equal(read(Fix(DIAGNOSIS, "", "remap", 1.0, 0), 4), read((), 4))


@pytest.mark.parametrize("names", [("bnp",), ("bnp", "creatinine")])
def test_a_masked_value_is_not_used_at_all(names):
    shown = people()
    x = shown.x.copy()
    x[:, [NAMES.index(name) for name in names]] = 77.0
    fixes = tuple(Fix(name, "", "mask", 1.0, 0) for name in names)
    assert np.array_equal(read(fixes, 4, dataclasses.replace(shown, x=x)), read(fixes, 4))


def test_a_mask_at_one_site_leaves_the_others():
    rows = people().site == "west"
    masked, plain = read(Fix("bnp", "west", "mask", 1.0, 0), 4), read((), 4)
    assert np.array_equal(masked[~rows], plain[~rows])
    changed = (masked[rows] != plain[rows]).any(axis=0)
    assert np.flatnonzero(changed).tolist() == [1 + NAMES.index("bnp")]


def test_a_masked_diagnosis_counts_as_the_usual_mixture():
    masked = read(Fix(DIAGNOSIS, "", "mask", 1.0, 0), 4)
    assert masked[:, 10:] == pytest.approx(np.tile(imputer().groups, (len(masked), 1)))
    assert imputer().groups == pytest.approx([g.share for g in GROUPS], abs=0.03)


@pytest.mark.parametrize("month", range(-2, 8))
def test_a_fix_holds_from_its_first_month_until_a_newer_one_covers_it(month):
    fixes = (Fix("bnp", "", "rescale", 3.0, 1), Fix("bnp", "", "clear", 1.0, 5))
    held = not np.array_equal(read(fixes, month), read((), month))
    assert held == (1 <= month < 5)


def test_a_newer_fix_of_one_site_replaces_one_of_all_there_alone():
    site = str(people().site[0])
    here = people().site == site
    assert not here.all()
    both = read((Fix("bnp", "", "rescale", 2.0, 0), Fix("bnp", site, "rescale", 3.0, 0)), 0)
    assert np.array_equal(both[here], read(Fix("bnp", "", "rescale", 3.0, 0), 0)[here])
    assert np.array_equal(both[~here], read(Fix("bnp", "", "rescale", 2.0, 0), 0)[~here])


# Events


def test_every_seed_has_the_same_kinds_of_events_in_practice():
    found = [drift_events.paired(seed, 6, hidden=False) for seed in SEEDS]
    counts = [Counter(kind for kinds in streams for kind in kinds) for streams in found]
    assert all(count == counts[0] for count in counts)
    assert set(counts[0]) == {*HARMFUL, *PRACTISED, *BENIGN}
    assert len({str(streams) for streams in found}) > 30


def test_every_seed_has_the_named_kinds_and_two_of_the_reserve_when_hidden():
    for seed in SEEDS:
        count = Counter(kind for kinds in drift_events.paired(seed, 6, hidden=True) for kind in kinds[:2])
        assert not Counter([*HARMFUL, "prevalence_shift"]) - count
        rest = count - Counter([*HARMFUL, "prevalence_shift"])
        assert len(rest) == 2
        assert set(rest) <= set(RESERVE)


def test_hidden_streams_have_a_kind_that_practice_streams_have_not():
    for seed in SEEDS:
        practice, hidden = (
            {kind for kinds in drift_events.paired(seed, 6, hidden=hidden) for kind in kinds}
            for hidden in (False, True)
        )
        assert hidden - practice


def test_every_kind_of_the_reserve_is_used():
    used = {kind for seed in SEEDS for kinds in drift_events.paired(seed, 6, hidden=True) for kind in kinds}
    assert set(RESERVE) <= used


@pytest.mark.parametrize("hidden", [False, True])
def test_pairs_that_could_not_be_answered_fairly_do_not_come(hidden):
    for number in range(300):
        for kinds in drift_events.paired(Seed.from_int(number), 6, hidden=hidden):
            assert tuple(kinds[:2]) not in drift_events.UNFAIR


@pytest.mark.parametrize("place", [0, 1])
def test_what_takes_months_to_answer_comes_first_and_second(place):
    found = {kinds[place] for seed in SEEDS for kinds in drift_events.paired(seed, 6, hidden=True)}
    assert set(drift_events.SLOW) <= found


def test_events_begin_when_they_should():
    onsets = set()
    for seed in SEEDS:
        for number, kinds in enumerate(drift_events.paired(seed, 6, hidden=True)):
            plans = drift_events.planned(Seed.derive(seed.key, "test", str(number), "events"), kinds, SIZES)
            assert [plan.event.kind for plan in plans] == kinds
            first, second, *calm = (plan.event.onset for plan in plans)
            onsets |= {first, second}
            assert drift_events.FIRST[0] <= first <= second - drift_events.APART
            assert second <= drift_events.SLOW.get(kinds[1], drift_events.LATEST)
            assert first <= drift_events.FIRST[1]
            for onset, (low, end) in zip(calm, drift_events.CALM, strict=True):
                assert low <= onset < end + 1
    # No month tells the first event from the second, or one kind from another.
    assert onsets == set(range(drift_events.FIRST[0], drift_events.LATEST + 1))


def test_some_faults_are_mended_at_their_source_within_the_stream():
    ends = set()
    for number in range(60):
        for kind in DATA:
            event = drift_events.harmful(Seed.from_int(number).stream("events"), kind, 16, SIZES, 10).event
            ends.add(event.end)
            assert event.end is None or 16 < event.end < MONTHS
    assert len(ends) > 2
    assert None in ends


def test_events_name_what_there_is():
    for seed in SEEDS:
        for kinds in drift_events.paired(seed, 6, hidden=True):
            for event in (plan.event for plan in drift_events.planned(seed, kinds, SIZES)):
                assert set(event.cause) <= set(CAUSES)
                assert bool(event.cause) == event.harmful == (event.kind not in BENIGN)
                assert set(event.site) <= {*SITES, NEW_SITE}
                assert set(event.feature) <= {*NAMES, DIAGNOSIS}


@pytest.mark.parametrize(("end", "last"), [(7, 7), (None, MONTHS - 1)])
def test_an_event_is_on_from_its_onset_to_its_end(end, last):
    event = Event("covid", (), True, 5, end)
    assert [m for m in range(MONTHS) if drift_events.month_on(event, m)] == list(range(5, last + 1))


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("kind", DATA)
def test_a_corrupt_feed_differs_at_its_site_in_its_feature_and_months_alone(kind, number):
    plan = happening(kind, number)
    shown = people()
    last = plan.event.last
    for month in [0, ONSET - 1, *([last + 1] if plan.event.end is not None else [])]:
        assert same(drift_events.recorded(SEED, (plan,), month, shown), shown)
    for month in (ONSET, last):
        found = differs(drift_events.recorded(SEED, (plan,), month, shown), shown)
        where = drift_events.touched(plan.event, shown)
        columns = np.isin([*NAMES, DIAGNOSIS], plan.event.feature)
        assert not found[~where].any()
        assert not found[:, ~columns].any()
        assert (found[np.ix_(where, columns)].mean(axis=0) > 0.4).all()


@pytest.mark.parametrize("kind", DATA)
def test_a_corrupt_feed_leaves_patients_and_their_outcomes_alone(kind):
    calm, struck = month_of("", ONSET), month_of(kind, ONSET)
    assert np.array_equal(calm.risk, struck.risk)
    assert np.array_equal(calm.y, struck.y)
    assert np.array_equal(calm.first, struck.first)
    assert calm.closed == struck.closed
    assert not same(calm.seen, struck.seen)


@pytest.mark.parametrize("kind", RISK)
def test_what_changes_risk_leaves_records_alone(kind):
    calm, struck = month_of("", ONSET), month_of(kind, ONSET)
    assert same(calm.seen, struck.seen)
    assert (calm.risk != struck.risk).mean() > 0.15
    assert np.array_equal(month_of("", ONSET - 1).risk, month_of(kind, ONSET - 1).risk)


def test_a_programme_changes_risk_at_its_site_alone():
    calm, struck = month_of("", ONSET), month_of("programme", ONSET)
    where = drift_events.touched(happening("programme").event, calm.seen)
    assert np.array_equal(calm.risk[~where], struck.risk[~where])
    assert (struck.risk[where] < calm.risk[where]).mean() > 0.95


def test_a_shock_makes_fewer_and_more_ill_patients_at_higher_risk_and_ends():
    plan = happening("covid")
    calm, struck = month_of("", ONSET), month_of("covid", ONSET)
    months = range(ONSET, plan.event.last + 1)
    usual, now = (sum(len(month_of(kind, month).seen) for month in months) for kind in ("", "covid"))
    # A month keeps 75 to 100 % of its patients, each by its own draw.
    assert 0.78 * usual < now < 0.97 * usual
    assert struck.risk.mean() > calm.risk.mean() + 0.05
    after = plan.event.last + 1
    assert np.array_equal(month_of("", after).risk, month_of("covid", after).risk)
    assert np.array_equal(drift_events.recorded(SEED, (plan,), ONSET, people()).x, people().x, equal_nan=True)


@pytest.mark.parametrize("kind", MODEL)
def test_a_release_changes_neither_records_nor_risk(kind):
    calm, struck = month_of("", ONSET), month_of(kind, ONSET)
    assert same(calm.seen, struck.seen)
    assert np.array_equal(calm.risk, struck.risk)


def test_late_outcomes_change_neither_records_nor_risk():
    calm, struck = month_of("", ONSET), month_of("late_negatives", ONSET)
    assert same(calm.seen, struck.seen)
    assert np.array_equal(calm.risk, struck.risk)
    assert np.array_equal(calm.y, struck.y)


@pytest.mark.parametrize("kind", [*BENIGN, *DATA, "bad_release"])
def test_what_is_no_change_of_patients_leaves_what_their_values_say_of_risk(kind):
    plan = (happening(kind),)
    weights, groups, shift = drift_events.true_weights(plan, ONSET)
    assert np.array_equal(weights, TRUE_WEIGHTS)
    assert np.array_equal(groups, TRUE_GROUPS)
    assert shift == 0
    assert not drift_events.local_shift(plan, ONSET, people()).any()


@pytest.mark.parametrize("number", range(3))
def test_a_new_ward_brings_other_patients_to_its_site_alone(number):
    plan, truth = happening("new_ward", number), people()
    found = differs(drift_events.ward((plan,), ONSET, truth, SEED.stream("ward").uniform(truth.number)), truth)
    where = drift_events.touched(plan.event, truth)
    columns = np.isin([*NAMES, DIAGNOSIS], [*plan.event.feature, DIAGNOSIS])
    assert not found[~where].any()
    assert not found[:, ~columns].any()
    assert found[where].any(axis=1).mean() == pytest.approx(plan.size, abs=0.08)


def test_the_values_of_a_new_wards_patients_are_true():
    calm, struck = month_of("", ONSET), month_of("new_ward", ONSET)
    where = drift_events.touched(happening("new_ward").event, calm.seen)
    assert np.array_equal(calm.risk[~where], struck.risk[~where])
    assert struck.risk[where].mean() > calm.risk[where].mean()


@pytest.mark.parametrize("number", range(3))
def test_where_fewer_are_tested_values_are_missing_and_none_is_wrong(number):
    plan, shown = happening("fewer_tests", number), people()
    after = drift_events.recorded(SEED, (plan,), ONSET, shown)
    found = differs(after, shown)
    where = drift_events.touched(plan.event, shown)
    j = NAMES.index(plan.event.feature[0])
    assert not found[~where].any()
    assert np.flatnonzero(found.any(axis=0)).tolist() == [j]
    assert np.isnan(after.x[found[:, j], j]).all()
    assert 0.3 < found[where, j].mean() < 0.6


def test_who_is_no_longer_tested_is_well():
    calm, struck = month_of("", ONSET), month_of("fewer_tests", ONSET)
    assert np.array_equal(calm.risk, struck.risk)
    assert np.array_equal(calm.y, struck.y)
    untested = differs(calm.seen, struck.seen).any(axis=1)
    where = drift_events.touched(happening("fewer_tests").event, calm.seen)
    assert struck.risk[untested].mean() < struck.risk[where & ~untested].mean() - 0.03


def test_a_new_site_opens_when_it_should():
    assert NEW_SITE not in month_of("new_site", ONSET - 1).seen.site
    opened = month_of("new_site", ONSET).seen.site
    assert 0.06 < (opened == NEW_SITE).mean() < 0.22


@pytest.mark.parametrize(("kind", "loses"), [("bad_release", True), ("release", False)])
def test_a_bad_release_ranks_worse_and_a_sound_one_does_not(kind, loses):
    matrix, y = with_outcomes(4800, 7)
    weights = drift_models.fitted(matrix, y, np.zeros(matrix.shape[1]))
    new = drift_stream.next_release(kind, "4.1", matrix, y, weights)
    fresh, outcome = with_outcomes(60_000)
    lost = drift_models.auroc(fresh @ weights, outcome) - drift_models.auroc(new.logit(fresh), outcome)
    assert (lost > 0.02) == loses, lost
    assert abs(lost) < 0.02 or loses
