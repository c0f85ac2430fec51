from __future__ import annotations

import calendar
import re
from datetime import date

import numpy as np
import pytest

from synthetic_data import phi
from synthetic_data.note_text import word_names
from synthetic_data.phi_dates import ordinal
from synthetic_data.phi_forms import Form, Mentions, Menu, Rows, write
from synthetic_data.streams import Seed

# Every day of the 2000s up to the last follow-up; two-digit years can then be read back.
DAYS = np.arange("2000-01-01", "2027-01-01", dtype="datetime64[D]")
DATE_FORMS = {form.name: form for menu in phi.MENUS.values() if menu.kind == "DATE" for form in menu.forms}


def written(form: Form, chart: dict[str, np.ndarray], source: str, words: frozenset[str] = frozenset()) -> Mentions:
    """The form, and only it, in one place per row of the chart."""
    n = len(chart["number"])
    rows = Rows(chart, np.arange(n), np.arange(n), source, Seed.from_int(1))
    return write(Menu("ANY", (form,)), rows, words)


MONTHS = {calendar.month_abbr[k].lower(): k for k in range(1, 13)}


ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"),
    *("twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
    *("twentieth", "twenty-first", "twenty-second", "twenty-third", "twenty-fourth", "twenty-fifth", "twenty-sixth"),
    *("twenty-seventh", "twenty-eighth", "twenty-ninth", "thirtieth", "thirty-first"),
)


def reread(form: str, said: str) -> str:
    """What a date says, parsed anew from the text, by the form's name."""
    numbers = [int(x) for x in re.findall(r"\d+", said)]
    month = next((MONTHS[w[:3].lower()] for w in re.findall(r"[A-Za-z]{3,}", said) if w[:3].lower() in MONTHS), 0)
    match form:
        case "date.iso" | "date.timestamp":
            return date.fromisoformat(said[:10]).isoformat()
        case "date.compact":
            return date.fromisoformat(f"{said[:4]}-{said[4:6]}-{said[6:]}").isoformat()
        case "date.ymd_slash":
            return date(*numbers).isoformat()
        case "date.us_slash" | "date.us_short" | "date.us_dash" | "date.us_dots":
            year = numbers[2] if numbers[2] > 99 else 2000 + numbers[2]
            return date(year, numbers[0], numbers[1]).isoformat()
        case "date.dotted":
            return date(numbers[2], numbers[1], numbers[0]).isoformat()
        case "date.long":
            return date(numbers[1], month, numbers[0]).isoformat()
        case "date.day_mon_year" | "date.day_month":
            return date(numbers[1], month, numbers[0]).isoformat()
        case "date.military":
            return f"20{said[5:]}-{MONTHS[said[2:5].lower()]:02d}-{said[:2]}"
        case "date.ordinal_words":
            return f"--{month:02d}-{ORDINALS.index(said.split()[1]) + 1:02d}"
        case "date.ordinal_words_year":
            return f"{numbers[0]}-{month:02d}-{ORDINALS.index(said.split()[1]) + 1:02d}"
        case "date.day_first":
            return f"--{numbers[1]:02d}-{numbers[0]:02d}"
        case "date.slash_no_year" | "date.dash_no_year":
            return f"--{numbers[0]:02d}-{numbers[1]:02d}"
        case "date.month_day" | "date.day_mon" | "date.mon_ordinal":
            return f"--{month:02d}-{numbers[0]:02d}"
        case "date.month_year":
            return f"{numbers[0]}-{month:02d}"
        case "date.part_of_month":
            return f"--{month:02d}"
        case "date.elliptic_day":
            return f"---{numbers[0]:02d}"
        case "date.ordinal_day":
            return f"---{ORDINALS.index(said.split()[1]) + 1:02d}"
        case "date.weekday":
            return "weekday"
    return "?"


@pytest.mark.parametrize("name", sorted(DATE_FORMS))
def test_a_date_denotes_what_it_says_on_every_day_of_27_years(name):
    times = np.full(len(DAYS), "08:15:00-08:00", object)
    chart = {"number": np.arange(len(DAYS)), "visit_date": DAYS, "visit_time": times}
    said = written(DATE_FORMS[name], chart, "visit")
    wrong = [(t, d) for t, d in zip(said.text, said.denotes, strict=True) if reread(name, t) != d]
    assert not wrong, wrong[:3]
    for text, denotes, day in zip(said.text, said.denotes, DAYS.astype(object), strict=True):
        if denotes != "weekday":
            known = f"{day.year}-{day.month:02d}-{day.day:02d}"
            assert matches(known, denotes), (text, denotes)


def matches(day: str, denotes: str) -> bool:
    """Whether a partial ISO date fits the day: "--03-14", "2024-03", "---27" all fit some days."""
    if denotes.startswith("---"):
        return day[8:] == denotes[3:]
    if denotes.startswith("--"):
        return day[5:].startswith(denotes[2:])
    return day.startswith(denotes)


def test_weekdays_are_those_of_the_calendar():
    said = written(DATE_FORMS["date.weekday"], {"number": np.arange(len(DAYS)), "visit_date": DAYS}, "visit")
    calendar_says = [f"{day:%a}" for day in DAYS.astype(object)]
    assert [text[:3] for text in said.text] == calendar_says


def test_ordinals():
    wanted = ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "30th", "31st"]
    assert [ordinal(int(re.sub(r"\D", "", text))) for text in wanted] == wanted


def name_written(name: str, given: str, middle: str, family: str, words: frozenset[str] = frozenset()) -> Mentions:
    form = next(f for menu in phi.MENUS.values() for f in menu.forms if f.name == name)
    parts = {"given": given, "middle": middle, "family": family}
    chart = {f"patient_{column}": np.array([value], object) for column, value in parts.items()}
    return written(form, chart | {"number": np.array([3])}, "patient", words)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("name.full", "Rosa Quintero-Vale"),
        ("name.full_middle", "Rosa A. Quintero-Vale"),
        ("name.last_comma_first", "Quintero-Vale, Rosa"),
        ("name.caps_last_first_initial", "QUINTERO-VALE,ROSA A"),
        ("name.initial_family", "R. Quintero-Vale"),
        ("name.initials", "R.Q."),
        ("name.spelled", "R-O-S-A"),
        ("name.plural", "Quintero-Vales"),
        ("name.html_nbsp", "Rosa&nbsp;Quintero-Vale"),
    ],
)
def test_names_as_notes_write_them(form, text):
    assert name_written(form, "Rosa", "Ana", "Quintero-Vale").text.tolist() == [text]


def test_a_person_without_a_middle_name_has_no_stray_blank_or_stop():
    assert name_written("name.full_middle", "Rosa", "", "Vale").text.tolist() == ["Rosa Vale"]
    assert name_written("name.caps_last_first_initial", "Rosa", "", "Vale").text.tolist() == ["VALE,ROSA"]


def test_a_name_of_common_words_is_hard_and_one_with_another_part_is_not():
    words = frozenset(["will", "may"])
    assert name_written("name.full", "Will", "", "May", words).hard.tolist() == [True]
    assert name_written("name.full", "Will", "", "Quintero", words).hard.tolist() == [False]
    assert name_written("name.family", "Rosa", "", "May", words).hard.tolist() == [True]


def test_a_patient_keeps_one_account_number_and_shares_it_with_nobody():
    form = next(f for f in phi.MENUS["account"].forms if f.name == "account.ten_digits")
    numbers = np.array([5, 5, 6, 5])
    account = written(form, {"number": numbers}, "patient").text
    assert account[0] == account[1] == account[3] != account[2]


CHART = {
    "number": np.array([3]),
    "site": np.array(["B"], object),
    "dob_date": np.array(["1957-03-14"], "datetime64[D]"),
    "patient_birth_year": np.array([1957]),
    "patient_given": np.array(["Rosa"], object),
    "patient_family": np.array(["O'Dell-Vale"], object),
    "patient_phone": np.array(["559-555-0143"], object),
    "patient_street": np.array(["412 Old Alder Street, Apt 3"], object),
}


@pytest.mark.parametrize(
    ("form", "mrn", "shape"),
    [
        ("other.alias", "", "ODER57"),
        ("other.initials_birthday", "", "RO 14/3"),
        ("other.login", "", "roodel57"),
        ("phone.last_four", "", "0143"),
        ("phone.pair", "", r"559-555-0143/01(?!43)\d\d"),
        ("mrn.site_letter", "00485721", "B/485721|485721/B"),
        ("mrn.pairs_from_the_end", "00485721", "21-57-48-00"),
        ("mrn.pairs_from_the_end", "A-12-3456-K", "6K-45-23-A1"),
        ("mrn.dashed_halves", "00485721", "0048-5721"),
        ("mrn.dashed_halves", "A-12-3456-K", "A123-456K"),
        ("location.above_shop", "", r"above the [a-z ]+ on Old Alder"),
    ],
)
def test_what_a_hospital_writes_in_a_way_of_its_own(form, mrn, shape):
    chart = CHART | {"patient_mrn": np.array([mrn], object)}
    said = written(next(f for menu in phi.MENUS.values() for f in menu.forms if f.name == form), chart, "patient")
    assert re.fullmatch(shape, said.text[0]), said.text[0]
    assert said.hard.all()


def test_two_lines_of_one_household_are_never_the_same_number():
    n = 500
    chart = {"number": np.arange(n), "patient_phone": np.full(n, "559-555-0143", object)}
    pairs = written(phi.MENUS["phone_pair"].forms[0], chart, "patient").text
    seconds = {pair.split("/")[1] for pair in pairs}
    assert "0143" not in seconds
    assert len(seconds) > 90


def test_a_household_keeps_its_name_and_it_is_no_common_word():
    chart = {"number": np.array([5, 6, 5, 7])}
    names = written(phi.MENUS["household"].forms[0], chart, "patient").text
    terse = written(phi.MENUS["household_terse"].forms[0], chart, "patient").text
    assert names[0] == names[2]
    assert len(set(names)) == 3
    assert [name.lower() for name in names] == terse.tolist()
    assert not set(terse) & word_names()
