"""From a submission to scorecards: chooses seed and card, plays, scores, stores. Both doors call this."""

from __future__ import annotations

import dataclasses
import platform
import shutil
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graders.harness import outcome as outcomes
from graders.harness import sandbox
from graders.harness.errors import GraderError, InfrastructureError, NoSandbox, UsageError, place
from graders.harness.exercise import Exercise
from graders.harness.kit import Kit
from graders.harness.outcome import Outcome
from graders.harness.play import Played, play
from graders.harness.scorecard import Scorecard, score
from graders.harness.submission import Part
from synthetic_data.scene import Files, Scene
from synthetic_data.streams import Seed


@dataclass(frozen=True)
class Terms:
    """On what terms a submission is graded.

    secret: the team's, or None for the public practice seed.  variant: whose scene and card.  card: a card to use
    in place of the variant's own.  small: the manifest's ci_settings.  packs: exercise -> the team's private additions
    to its data, which the recipe finds in settings["pack"].
    """

    variant: str
    secret: bytes | None = field(default=None, repr=False)
    card: Mapping[str, Any] | None = None
    unsafe: bool = False
    small: bool = False
    packs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def stamps(self) -> tuple[str, ...]:
        """What a reader must know before comparing this score with another."""
        found = {"PRACTICE": self.secret is None, "UNSAFE": self.unsafe, "SMALL": self.small}
        found["OTHER CARD"] = self.card is not None and self.secret is not None
        return tuple(name for name, holds in found.items() if holds)

    def stamps_for(self, exercise: str) -> tuple[str, ...]:
        """The same, and whether the data of this exercise holds the team's own additions."""
        private = self.secret is not None and bool(self.packs.get(exercise))
        return (*self.stamps, *(("PRIVATE PACK",) if private else ()))


@dataclass(frozen=True)
class Graded:
    """One exercise, graded. log: what the submission printed last, for its author only."""

    scorecard: Scorecard
    truth: Files
    record: Mapping[str, Any]
    log: str = ""


def seed_for(exercise: Exercise, terms: Terms, purpose: str) -> Seed:
    """The seed of a scene or card: public on practice, else derived from the team's secret and the variant."""
    if terms.secret is not None:
        return Seed.derive(terms.secret, exercise.name, terms.variant, purpose)
    if purpose == "scene":
        return Seed.from_hex(exercise.practice_seed)
    return Seed.derive(bytes.fromhex(exercise.practice_seed), exercise.name, "practice", purpose)


def make_scene(kit: Kit, exercise: Exercise, terms: Terms) -> Scene:
    """The scene that this submission meets. Raises GraderError when the recipe breaks, UsageError for a wrong card."""
    recipe = kit.recipe(exercise.name)
    # A recipe may keep things back from practice data; that it is practice is all it is told.
    hidden = terms.secret is not None
    size = exercise.ci_settings if terms.small else exercise.settings
    pack = terms.packs.get(exercise.name, {}) if hidden else {}
    settings: dict[str, Any] = {**size, "hidden": int(hidden), "pack": pack}
    try:
        card = terms.card or recipe.draw_card(seed_for(exercise, terms, "card"))
        return recipe.scene(seed_for(exercise, terms, "scene"), settings, card)
    except ValueError as error:
        if terms.card is not None or pack:
            given = "card" if terms.card is not None else "private pack"
            raise UsageError(f"the {given} does not fit {exercise.name}: {error}") from None
        raise GraderError(f"the recipe of {exercise.name} broke: ValueError{place(error)}") from error
    except Exception as error:
        # Type and place only: the text of the exception may hold hidden values.
        raise GraderError(f"the recipe of {exercise.name} broke: {type(error).__name__}{place(error)}") from error


def choose_tier(unsafe: bool) -> sandbox.Tier:
    """The sandbox to use. Raises NoSandbox unless `unsafe`."""
    return sandbox.UNSAFE if unsafe else sandbox.best()


def blank(exercise: Exercise, part: Part, terms: Terms) -> Outcome:
    """The outcome of a submission that has not been played yet."""
    return Outcome(
        exercise.name,
        terms.variant,
        "practice" if terms.secret is None else "hidden",
        part.digest,
        terms.stamps_for(exercise.name),
        settings=exercise.ci_settings if terms.small else exercise.settings,
        submitted=part.files,
    )


def unplayed(kit: Kit, exercise: Exercise, part: Part, terms: Terms, reason: str) -> Graded:
    """A submission that the machine could not play: no score, and why."""
    result = dataclasses.replace(blank(exercise, part, terms), status="infra_error", reason=reason)
    return Graded(score(kit, result, {}), {}, {"host": platform.platform(), "tries": 0})


def grade(kit: Kit, exercise: Exercise, part: Part, terms: Terms) -> Graded:
    """Play and score one exercise of a submission; a failure of the machine is retried once, then recorded."""
    result = base = blank(exercise, part, terms)
    kit.criteria(exercise.name)  # a missing grader is found before minutes are spent on a play
    started, played, tier = time.time(), Played((), {}, "", ""), "none"
    tries = 0
    if part.status:
        result = dataclasses.replace(result, status=part.status, reason=part.fault)
    else:
        while True:
            tries += 1
            try:
                chosen = choose_tier(terms.unsafe)
                tier = f"{chosen.name}: {chosen.why}"
                if chosen.name == "B":
                    base = dataclasses.replace(base, stamps=tuple(dict.fromkeys((*base.stamps, "TIER B"))))
                played = play(exercise, part.files, make_scene(kit, exercise, terms), chosen)
                status = "blocked" if played.blocked else "played"
                result = dataclasses.replace(base, status=status, reason=played.blocked, replies=played.replies)
            except NoSandbox:
                raise
            except GraderError as error:
                result = dataclasses.replace(base, status="grader_error", reason=str(error))
            except (InfrastructureError, OSError) as error:
                if tries == 1:
                    continue
                result = dataclasses.replace(base, status="infra_error", reason=str(error))
            break
    record = {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 3),
        "tries": tries,
        "tier": tier,
        "limits": dataclasses.asdict(exercise.limits),
        "host": platform.platform(),
        "python": platform.python_version(),
        "ignored_files": part.ignored,
    }
    return Graded(score(kit, result, played.truth), played.truth, record, played.log)


def store(graded: Graded, results: Path, identity: str) -> Path:
    """Write outcome, truth and scorecard below `results`; returns the exercise's folder."""
    name = graded.scorecard.outcome.exercise
    folder, truth = results / identity / name, results / ".truth" / identity / name
    # A result that is being replaced is unfinished from here on, and leaves no file among the new ones.
    (folder / "outcome.json").unlink(missing_ok=True)
    for old in (folder, truth):
        shutil.rmtree(old, ignore_errors=True)
    outcomes.write_truth(graded.truth, truth)
    outcomes.write(graded.scorecard.outcome, folder, graded.record)
    outcomes.write_file(folder / "scorecard.json", graded.scorecard.to_bytes())
    return folder


def read_secret(path: Path) -> bytes:
    """The team's secret. Raises UsageError when it cannot be read or is too short to hide anything."""
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"{path}: the secret file cannot be read ({error.strerror})") from None
    if len(secret) < 16:
        raise UsageError(f"{path}: the secret has {len(secret)} bytes; at least 16 are needed")
    return secret


def read_packs(secret_file: Path) -> dict[str, dict[str, Any]]:
    """The team's private packs: <exercise>.pack.toml beside the secret. Raises UsageError."""
    found = {}
    for path in sorted(secret_file.parent.glob("*.pack.toml")):
        found[path.name.removesuffix(".pack.toml")] = read_card(path)
    return found


def read_card(path: Path) -> dict[str, Any]:
    """A policy card, or a private pack. Raises UsageError."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
