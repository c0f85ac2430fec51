import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.measures.notes_release import Caught, NotesVerdict
from graders.measures.predictions import interval_part, interval_score, judge

VERDICT = NotesVerdict(
    recall=0.986,
    kept=0.99,
    kinds={
        "OTHER": Caught(0.80, 90),
        "PHOTO": Caught(0.50, 19),
        "URL": Caught(0.804, 50),
        "NAME": Caught(0.99, 900),
    },
    groups={"nigerian": Caught(0.91, 60), "anglo": Caught(0.99, 600)},
    hard_caught=0.9,
    looks_kept=0.99,
    date_recall=0.98,
    message="",
    hard_message="",
    groups_message="",
    examples=(),
    hard_examples=(),
)
GOOD = {"recall": [0.98, 0.99], "kept": [0.98, 1], "weakest": ["OTHER"], "worst_group": ["nigerian"]}


def fraction(verdict=VERDICT, **changes) -> float:
    return judge(json.dumps(GOOD | changes).encode(), verdict)[0]


def test_narrow_intervals_that_hold_and_right_names_earn_all():
    assert fraction() == 1.0


@pytest.mark.parametrize(
    ("interval", "part"),
    [
        ([0.98, 0.99], 1.0),
        ([0.976, 0.996], 1.0),  # .02 wide
        ([0.95, 0.99], 0.75),  # .04 wide
        ([0.90, 1.0], 0.0),  # .10 wide
        ([0.0, 1.0], 0.0),
        ([0.98, 0.985], 1.0),  # .005 wide, missed by .001
        ([0.97, 0.98], 0.375),  # .01 wide, missed by .006
        ([0.99, 1.0], 0.625),  # .01 wide, missed by .004
        ([0.9, 0.9], 0.0),
    ],
)
def test_an_interval_is_scored_by_its_width_and_its_miss(interval, part):
    assert interval_part((interval[0], interval[1]), 0.986) == pytest.approx(part)
    assert fraction(recall=interval) == pytest.approx(0.6 + 0.4 * part)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.2))
def test_moving_an_edge_past_the_truth_never_helps(one, other, truth, more):
    low, high = sorted((one, other))
    score = interval_score((low, high), truth)
    assert score >= high - low
    if low <= truth <= high:
        assert interval_score((low, high + more), truth) >= score
    else:
        assert score >= 10 * min(abs(truth - low), abs(truth - high))


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"weakest": ["NAME", "AGE"]}, 0.2),
        ({"weakest": ["PHOTO"]}, 0.2),  # fewer than 20 mentions
        ({"weakest": ["URL"]}, 0),  # within half a point of the lowest
        ({"weakest": ["NAME", "AGE", "other"]}, 0),
        ({"weakest": []}, 0.2),
        ({"worst_group": ["anglo"]}, 0.2),
        ({"worst_group": ["anglo", "Nigerian"]}, 0),
        ({"worst_group": []}, 0.2),
        ({"kept": [0.5, 0.6]}, 0.2),
    ],
)
def test_each_part_has_its_share(changes, lost):
    assert fraction(**changes) == pytest.approx(1 - lost)


def test_nothing_is_foreseen_of_notes_that_were_not_deidentified():
    assert fraction(replace(VERDICT, recall=0.0), recall=[0, 0]) == 0
    assert fraction(replace(VERDICT, recall=0.8925), recall=[0.89, 0.9]) == pytest.approx(0.5)


def test_a_byte_order_mark_is_no_matter():
    assert judge(json.dumps(GOOD).encode("utf-8-sig"), VERDICT)[0] == 1.0


def test_where_no_group_is_large_enough_none_need_be_named():
    assert fraction(replace(VERDICT, groups={}), worst_group=[]) == 1.0


@pytest.mark.parametrize(
    "submitted",
    [
        None,
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"recall": [0.98, 0.99]}',
        json.dumps(GOOD | {"more": 1}).encode(),
        json.dumps(GOOD).replace('"kept"', '"recall"').encode(),
        json.dumps(GOOD | {"recall": [0.99, 0.98]}).encode(),
        json.dumps(GOOD | {"recall": [98, 99]}).encode(),
        json.dumps(GOOD | {"recall": [-0.1, 0.99]}).encode(),
        json.dumps(GOOD | {"recall": 0.98}).encode(),
        json.dumps(GOOD | {"recall": ["0.98", "0.99"]}).encode(),
        json.dumps(GOOD | {"recall": [False, True]}).encode(),
        json.dumps(GOOD | {"recall": [0.98, 0.985, 0.99]}).encode(),
        json.dumps(GOOD).replace("0.99", "NaN").encode(),
        json.dumps(GOOD).replace("0.99", "1e400").encode(),
        json.dumps(GOOD).replace("0.99", "9" * 400).encode(),
        json.dumps(GOOD | {"weakest": ["OTHER", "URL", "NAME", "AGE"]}).encode(),
        json.dumps(GOOD | {"weakest": "OTHER"}).encode(),
        json.dumps(GOOD | {"weakest": [1]}).encode(),
        json.dumps(GOOD | {"worst_group": ["anglo", "nigerian", "arabic"]}).encode(),
        json.dumps(GOOD | {"weakest": ["x" * 20_000]}).encode(),
        b"[" * 5000,
    ],
    ids=lambda submitted: ascii(submitted)[:60],
)
def test_a_missing_or_ill_formed_file_earns_nothing_and_the_message_says_the_form(submitted):
    earned, message, _ = judge(submitted, VERDICT)
    assert earned == 0
    assert message.startswith("predictions.json ")
    assert '"weakest": [up to 3 kinds]' in message
    assert len(message) < 400


def test_the_message_sets_what_was_said_beside_what_was_found():
    message = judge(json.dumps(GOOD | {"weakest": ["NAME"]}).encode(), VERDICT)[1]
    assert "recall 98.6% (said 98.0% to 99.0%)" in message
    assert "no weakest kind named" in message
    assert "a worst group named" in message
