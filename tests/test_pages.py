"""Every page is sound, as far as can be told without a browser: text stays text, and nothing is loaded."""

from __future__ import annotations

import dataclasses
import itertools
from html.parser import HTMLParser
from pathlib import Path

import pytest
from exercise_lint import TOYS
from hostile_texts import TEXTS, card, everywhere, results

from graders.harness.kit import Kit
from graders.report import html
from graders.report.terminal import plain
from graders.round import letters

VOID = {"meta", "br", "hr", "path", "rect", "polyline"}


class Parsed(HTMLParser):
    """Elements with their attributes and texts, in order; fails on an element that is not closed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(path.read_text("utf-8"))
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def names(self) -> list[str]:
        return [tag for tag, _ in self.elements]


def scorecard(text: str, folder: Path) -> Path:
    return html.write([card(text)], folder / "scorecard.html")


def letter(text: str, folder: Path) -> Path:
    told = letters.compose(Kit(TOYS), results(text, folder), "c01", 4, with_scores=True)
    letters.write(told, folder / "c01")
    return folder / "c01/letter.html"


PAGES = [scorecard, letter]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("page", PAGES)
def test_a_hostile_text_makes_no_element_and_no_attribute(tmp_path, page, text):
    made, calm = Parsed(page(text, tmp_path / "a")), Parsed(page("words", tmp_path / "b"))
    assert [(tag, set(attrs)) for tag, attrs in made.elements] == [(tag, set(attrs)) for tag, attrs in calm.elements]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("page", PAGES)
def test_a_hostile_text_is_shown_without_what_drives_a_reader(tmp_path, page, text):
    made = Parsed(page(text, tmp_path))
    attributes = [value or "" for _, attrs in made.elements for value in attrs.values()]
    assert any(plain(text) in shown for shown in made.texts)
    assert all(c.isprintable() or c == "\n" for shown in made.texts + attributes for c in shown)


@pytest.fixture(params=["scorecard", "no exercise", "letter"])
def made(request, tmp_path):
    if request.param == "letter":
        return Parsed(letter("words", tmp_path))
    return Parsed(html.write(everywhere() if request.param == "scorecard" else [], tmp_path / "page.html"))


def test_a_page_has_a_language_a_title_and_one_first_heading(made):
    assert ("html", {"lang": "en"}) in made.elements
    assert [made.names().count(tag) for tag in ("title", "h1", "main")] == [1, 1, 1]


@pytest.mark.parametrize("status", ["blocked", "not_submitted"])
def test_what_could_not_be_played_is_one_sentence_and_no_table(tmp_path, status):
    one = dataclasses.replace(card("words"), status=status, reason="the zip cannot be opened")
    page = html.write([one], tmp_path / "page.html")
    assert "table" not in Parsed(page).names()
    assert page.read_text("utf-8").count("the zip cannot be opened") == 1
    assert "0 of 100 points: nothing could be played" in page.read_text("utf-8")


def test_a_scorecard_says_how_points_come_about_where_some_were_lost(tmp_path):
    one = card("words")
    lines = [
        dataclasses.replace(x, criterion=dataclasses.replace(x.criterion, rule="half for half")) for x in one.lines
    ]
    page = html.write([dataclasses.replace(one, status="graded", lines=tuple(lines))], tmp_path / "page.html")
    assert [line.verdict for line in lines] == ["met", "not met"]
    assert page.read_text("utf-8").count("Points: half for half") == 1


def test_a_scorecard_tells_the_exercises_title(tmp_path):
    one = dataclasses.replace(
        card("words"), outcome=dataclasses.replace(card("w").outcome, exercise="insulin_titration")
    )
    page = html.write([one], tmp_path / "page.html", Kit(TOYS))
    assert f"insulin_titration: {Kit(TOYS).exercise('insulin_titration').title}</h2>" in page.read_text("utf-8")


@pytest.mark.parametrize("name", Kit().names())
def test_every_criterion_says_in_short_how_its_points_come_about(name):
    assert all(0 < len(criterion.rule) <= 200 for criterion in Kit().criteria(name))


def test_headings_skip_no_level(made):
    levels = [int(tag[1]) for tag in made.names() if tag[0] == "h" and tag[1:].isdigit()]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


def test_a_page_forbids_itself_all_but_its_own_style(made):
    policy = [attrs["content"] for _, attrs in made.elements if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(made.names())


def test_every_drawing_has_a_role_and_a_label(made):
    drawings = [attrs for tag, attrs in made.elements if tag == "svg"]
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in drawings)


def test_ids_are_unique_and_labels_lead_to_one(made):
    ids = [attrs["id"] for _, attrs in made.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    assert {attrs["aria-labelledby"] for _, attrs in made.elements if "aria-labelledby" in attrs} <= set(ids)
