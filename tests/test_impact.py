"""The worksheet of adverse impact counts right, flags what can be flagged, and names nobody."""

from __future__ import annotations

import math

import pytest

from graders.harness.errors import UsageError
from graders.round.impact import SMALL, Group, lines, read_groups, worksheet, worksheets


def test_rates_and_ratios_are_those_of_the_group_selected_most():
    first, second = lines([Group("a", 40, 20), Group("b", 20, 4)])
    assert (first.highest, first.ratio, first.p, first.flag) == (True, 1.0, None, None)
    assert (second.group.rate, second.ratio, second.flag) == (0.2, 0.4, True)


def test_p_is_the_sum_of_all_tables_that_are_as_unlikely():
    people, picked, other = 12, 3, 18
    selected = picked + 13

    def chance(k: int) -> float:
        return math.comb(people, k) * math.comb(other, selected - k) / math.comb(people + other, selected)

    exact = sum(chance(k) for k in range(people + 1) if chance(k) <= chance(picked) * (1 + 1e-9))
    line = lines([Group("a", people, picked), Group("b", other, 13)])[0]
    assert line.p == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(("selected", "flag"), [(15, True), (16, False)])
def test_exactly_four_fifths_is_not_below_four_fifths(selected, flag):
    assert lines([Group("a", 25, 20), Group("b", 25, selected)])[1].flag is flag


def test_of_fewer_than_thirty_people_numbers_are_shown_and_nothing_is_flagged():
    line = lines([Group("a", 15, 15), Group("b", 14, 0)])[1]
    assert (line.ratio, line.flag) == (0.0, None)
    assert line.p < 0.001


def test_a_group_of_one_sets_no_bar():
    found = lines([Group("a", 30, 15), Group("b", 30, 14), Group("c", 1, 1)])
    assert [line.highest for line in found] == [True, False, False]
    assert [line.flag for line in found] == [None, False, None]


def test_who_gave_no_group_is_counted_and_compared_but_never_flagged():
    sheet = worksheet("sex", [("f", True)] * 20 + [("not stated", False)] * 20)
    line = {line.group.name: line for line in sheet.lines}["not stated"]
    assert (line.group.people, line.ratio, line.flag) == (20, 0.0, None)


def test_groups_of_fewer_than_five_are_one_line_without_their_names():
    sheet = worksheet("ward", [("a", True)] * 40 + [("b", False)] * 4 + [("c", True)] * 3)
    assert [(line.group.name, line.group.people, line.group.selected) for line in sheet.lines] == [
        ("a", 40, 40),
        (SMALL, 7, 3),
    ]
    assert (sheet.small, sheet.lines[1].flag) == (2, None)


def test_where_nobody_was_selected_there_is_no_ratio_and_no_flag_raised():
    assert [(line.ratio, line.flag) for line in lines([Group("a", 20, 0), Group("b", 20, 0)])] == [
        (None, None),
        (None, False),
    ]


def test_only_small_groups_are_compared_with_nobody():
    assert [(line.highest, line.ratio, line.p) for line in lines([Group("a", 3, 1), Group("b", 2, 2)])] == [
        (False, None, None),
        (False, None, None),
    ]


def test_a_file_gives_groups_by_column_and_decisions(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("\ufeffid,sex,age,selected\nk1,f,40+,yes\nk2,m,,no\nk3,f,40+,\n", "utf-8")
    found = read_groups(path, ["k1", "k2", "k3", "k4"])
    assert found.groups["age"] == {"k1": "40+", "k2": "not stated", "k3": "40+"}
    assert found.selected == {"k1": True, "k2": False}
    assert [sheet.people for sheet in worksheets(found, found.selected)] == [2, 2]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name,sex\n", "needs a header"),
        ("id\nk1\n", "needs a header"),
        ("id,sex,sex\nk1,f,f\n", "named once"),
        ("id,sex\nk9,f\n", "row 2: 'k9' is no candidate"),
        ("id,sex\nk1,f\nk1,f\n", "row 3: 'k1' is there twice"),
        ("id,sex\nk1\n", "row 2: has another number of cells"),
        ("id,sex\nk1,f,x\n", "row 2: has another number of cells"),
        ("id,sex,selected\nk1,f,maybe\nk2,f,no\n", "'selected' must be yes or no, not 'maybe'"),
        ("id,name\nk1,Jane\nk2,John\n", "'name' has 2 groups among 2 people"),
        ('id,sex\nk1,"f\n', "is no CSV"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_in_one_line(tmp_path, text, says):
    path = tmp_path / "groups.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=says.replace("(", "\\(")) as raised:
        read_groups(path, ["k1", "k2", "k3"])
    assert "\n" not in str(raised.value)
