"""Dates, ages over 89 and years, as notes write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from synthetic_data.phi_forms import Form, Menu, Rows

MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAYS_SHORT = ("Mon", "Tues", "Wed", "Thurs", "Fri", "Sat", "Sun")
_ONES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")
_TEENS = ("twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth")
_ORDINALS = (
    "", *_ONES, *_TEENS, "twentieth", *(f"twenty-{one}" for one in _ONES[:9]), "thirtieth", "thirty-first",
)  # fmt: skip


def ordinal(number: int) -> str:
    """1 -> "1st", 12 -> "12th"."""
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def _parts(r: Rows) -> Iterator[tuple[int, int, int]]:
    days = r["date"].astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    years = months.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (days - months).astype(np.int64) + 1
    return zip(years.tolist(), month.tolist(), day.tolist(), strict=True)


def _weekday(r: Rows) -> list[int]:
    # 1970-01-01 was a Thursday.
    weekdays: list[int] = ((r["date"].astype("datetime64[D]").astype(np.int64) + 3) % 7).tolist()
    return weekdays


def _each(line: Callable[[int, int, int], str]) -> Callable[[Rows], Sequence[str]]:
    return lambda r: [line(y, m, d) for y, m, d in _parts(r)]


def _whole(
    name: str, line: Callable[[int, int, int], str], weight: float, hard: bool = False, reserve: bool = False
) -> Form:
    return Form(name, _each(line), weight, hard, _each(lambda y, m, d: f"{y}-{m:02d}-{d:02d}"), reserve=reserve)


def _month_day(name: str, line: Callable[[int, int, int], str], weight: float, hard: bool = False) -> Form:
    return Form(name, _each(line), weight, hard, _each(lambda _, m, d: f"--{m:02d}-{d:02d}"))


def _stamp(r: Rows) -> list[str]:
    return [f"{y}-{m:02d}-{d:02d}T{t}" for (y, m, d), t in zip(_parts(r), r["time"], strict=True)]


def _vague(_: int, m: int, d: int) -> str:
    return f"{'early' if d <= 10 else 'mid' if d <= 20 else 'late'}{'-' if 10 < d <= 20 else ' '}{MONTHS[m - 1]}"


_month_year = _each(lambda y, m, _: f"{MONTHS[m - 1]} {y}")


def _weekday_text(r: Rows) -> list[str]:
    short = r.fresh("weekday")[:, 0] % 2
    return [(_WEEKDAYS, _WEEKDAYS_SHORT)[s][w] for s, w in zip(short, _weekday(r), strict=True)]


_SLASH = _whole("date.us_slash", lambda y, m, d: f"{m:02d}/{d:02d}/{y}", 4)
_ISO = _whole("date.iso", lambda y, m, d: f"{y}-{m:02d}-{d:02d}", 3)
_SHORT = _whole("date.us_short", lambda y, m, d: f"{m}/{d}/{y % 100:02d}", 3)
_LONG = _whole("date.long", lambda y, m, d: f"{MONTHS[m - 1]} {d}, {y}", 2)
_DAY_MON = _whole("date.day_mon_year", lambda y, m, d: f"{d:02d}-{MONTHS[m - 1][:3]}-{y}", 1.5)
_MILITARY = _whole("date.military", lambda y, m, d: f"{d:02d}{MONTHS[m - 1][:3].upper()}{y % 100:02d}", 0.7, True)
_COMPACT = _whole("date.compact", lambda y, m, d: f"{y}{m:02d}{d:02d}", 0.6, True)
_WORDS = _whole("date.ordinal_words_year", lambda y, m, d: f"the {_ORDINALS[d]} of {MONTHS[m - 1]}, {y}", 0.5, True)
_DOTTED = _whole("date.dotted", lambda y, m, d: f"{d:02d}.{m:02d}.{y}", 0.4, True)


_YMD_SLASH = _whole("date.ymd_slash", lambda y, m, d: f"{y}/{m:02d}/{d:02d}", 1, reserve=True)
_US_DASH = _whole("date.us_dash", lambda y, m, d: f"{m}-{d}-{y}", 1, reserve=True)
_DAY_MONTH = _whole("date.day_month", lambda y, m, d: f"{d} {MONTHS[m - 1]} {y}", 1, reserve=True)
_US_DOTS = _whole("date.us_dots", lambda y, m, d: f"{m:02d}.{d:02d}.{y % 100:02d}", 0.7, True, reserve=True)
_RESERVE = (_YMD_SLASH, _US_DASH, _DAY_MONTH, _US_DOTS)


def _shown_age(line: Callable[[int], str]) -> Callable[[Rows], Sequence[str]]:
    return lambda r: [line(age) for age in r["age"].tolist()]


_TENS = {9: "ninety", 10: "one hundred", 11: "one hundred ten"}
_DIGITS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _age_words(age: int) -> str:
    tens, ones = divmod(age, 10)
    if tens not in _TENS:
        return str(age)
    return _TENS[tens] + (f"{'-' if tens == 9 else ' '}{_DIGITS[ones]}" if ones else "")


MENUS = {
    "date": Menu("DATE", (_SLASH, _ISO, _LONG, _DAY_MON, _MILITARY, _COMPACT, _WORDS, _DOTTED, *_RESERVE)),
    "birth": Menu("DATE", (_SLASH, _ISO, _LONG, _DAY_MON, _MILITARY, _COMPACT, *_RESERVE)),
    "stamp": Menu(
        "DATE", (Form("date.timestamp", _stamp, hard=True, denotes=_each(lambda y, m, d: f"{y}-{m:02d}-{d:02d}")),)
    ),
    # A day of a year that the note makes plain.
    "day": Menu(
        "DATE",
        (
            _SLASH,
            _SHORT,
            _month_day("date.month_day", lambda _, m, d: f"{MONTHS[m - 1]} {d}", 3),
            _month_day("date.day_mon", lambda _, m, d: f"{d}-{MONTHS[m - 1][:3]}", 1.5),
            _month_day("date.slash_no_year", lambda _, m, d: f"{m}/{d}", 0.6, True),
            _month_day("date.ordinal_words", lambda _, m, d: f"the {_ORDINALS[d]} of {MONTHS[m - 1]}", 0.6, True),
            _month_day("date.mon_ordinal", lambda _, m, d: f"{MONTHS[m - 1][:3]} {ordinal(d)}", 0.6, True),
        ),
    ),
    # A day that may lie in another year than the note.
    "past": Menu(
        "DATE",
        (
            _SLASH,
            _SHORT,
            _LONG,
            _MILITARY,
            Form("date.month_year", _month_year, 0.6, True, _each(lambda y, m, _: f"{y}-{m:02d}")),
        ),
    ),
    "vague": Menu(
        "DATE",
        (
            Form("date.part_of_month", _each(_vague), 1, True, _each(lambda _, m, __: f"--{m:02d}")),
            Form("date.month_year", _month_year, 2, True, _each(lambda y, m, _: f"{y}-{m:02d}")),
        ),
    ),
    "weekday": Menu("DATE", (Form("date.weekday", _weekday_text, hard=True, denotes=lambda r: ["weekday"] * len(r)),)),
    "short": Menu("DATE", (_month_day("date.day_mon", lambda _, m, d: f"{d}-{MONTHS[m - 1][:3]}", 1),)),
    "elliptic": Menu(
        "DATE",
        (
            Form(
                "date.elliptic_day",
                _each(lambda _, __, d: f"the {ordinal(d)}"),
                1,
                True,
                _each(lambda _, __, d: f"---{d:02d}"),
            ),
        ),
    ),
    # Each hospital's own way to write a day of a year that the note makes plain.
    "dashed": Menu("DATE", (_month_day("date.dash_no_year", lambda _, m, d: f"{m}-{d}", 1, True),)),
    "day_first": Menu("DATE", (_month_day("date.day_first", lambda _, m, d: f"{d}/{m}", 1, True),)),
    "ordinal_day": Menu(
        "DATE",
        (
            Form(
                "date.ordinal_day",
                _each(lambda _, __, d: f"the {_ORDINALS[d]}"),
                1,
                True,
                _each(lambda _, __, d: f"---{d:02d}"),
            ),
        ),
    ),
    # Ages above 89 only; a younger age is clinical text and never comes here.
    "age": Menu(
        "AGE",
        (
            Form("age.year_old", _shown_age(lambda a: f"{a}-year-old"), 3),
            Form("age.yo", _shown_age(lambda a: f"{a} y.o."), 2),
            Form("age.words", _shown_age(lambda a: f"{_age_words(a)}-year-old"), 1, True),
            Form("age.yr_old", _shown_age(lambda a: f"{a} yr old"), 1, reserve=True),
            Form("age.glued", _shown_age(lambda a: f"{a}yo"), 1, True, reserve=True),
        ),
    ),
    "bare_age": Menu("AGE", (Form("age.bare", _shown_age(str), 1, True),)),
    "year": Menu("YEAR", (Form("year.alone", lambda r: [str(y) for y in r["year"].tolist()]),)),
}
