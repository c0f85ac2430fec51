"""Off-the-shelf de-identification does not pass: its stored output is scored anew with every change."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest
from exercise_lint import SECRET, play_sample

from graders.harness.grading import Terms, make_scene
from graders.harness.kit import HOME, Kit
from graders.harness.scorecard import score
from synthetic_data.scene import Reply

KIT, NAME = Kit(), "deidentification"
FOLDER = HOME / "tests/baselines/deidentification"


def stored_notes() -> tuple[dict[str, str], list[str]]:
    """Which notes were masked, and their masked texts in the same order."""
    lines = (FOLDER / "presidio_notes.jsonl").read_bytes().splitlines()
    header, *texts = [json.loads(line) for line in lines]
    return header, texts


def with_texts(reply: Reply, texts: dict[str, str]) -> Reply:
    """A release with other texts in its notes."""
    notes = [json.loads(line) for line in reply.files["notes.jsonl"].splitlines()]
    lines = [json.dumps({**note, "text": texts[note["note_id"]]}) + "\n" for note in notes]
    return dataclasses.replace(reply, files={**reply.files, "notes.jsonl": "".join(lines).encode()})


@pytest.mark.sandbox
def test_the_starter_with_notes_masked_by_presidio_gets_no_more_than_30():
    header, texts = stored_notes()
    scene = make_scene(KIT, KIT.exercise(NAME), Terms(header["variant"], SECRET, small=True))
    given = scene.public["notes.jsonl"]
    stale = hashlib.sha256(given).hexdigest() != header["notes_sha256"]
    assert not stale, "the scene's notes have changed: run tests/baselines/deidentification/make_presidio_notes.py"
    ids = [json.loads(line)["note_id"] for line in given.splitlines()]
    masked = dict(zip(ids, texts, strict=True))
    starter = play_sample(KIT, NAME, "starter", variant=header["variant"])
    played = starter.scorecard.outcome
    outcome = dataclasses.replace(played, replies=tuple(with_texts(reply, masked) for reply in played.replies))
    card = score(KIT, outcome, starter.truth)
    assert card.status == "graded", card.reason
    assert card.score is not None
    assert card.score <= 30, [(line.criterion.id, line.earned, line.message) for line in card.lines]
