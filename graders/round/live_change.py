"""The live change: the candidate's own policy card with one line altered, so that they adapt code they know to it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graders.harness import grading
from graders.harness.errors import GraderError, UsageError
from graders.harness.exercise import Exercise
from graders.harness.grading import Terms
from graders.harness.kit import Kit
from graders.round.code_reading import leaves_of
from synthetic_data.scene import Recipe
from synthetic_data.streams import Seed

# So many other cards are drawn to see what values a rule can have.
DRAWS = 48


@dataclass(frozen=True)
class LiveChange:
    """key: of the rule, with its table: "dates.rule".  line: its number in the card, from 1.  old, new: the line.

    card: the altered card's text.  own: False when a practice card was altered, as the
    candidate's own is not known.
    """

    key: str
    line: int
    old: str
    new: str
    card: str
    own: bool


def draw(
    kit: Kit, exercise: Exercise, terms: Terms, keys: Sequence[str], whose: str, own: bool = True
) -> LiveChange | None:
    """One line of the card that grading draws on these terms, altered; None where no card differs from it in one line.

    keys: rules worth altering, the best first; () for any.  whose: chooses among values, the same for
    the same work. Values are those that the recipe itself draws for others, which data can always follow.
    """
    recipe = kit.recipe(exercise.name)
    card = recipe.draw_card(grading.seed_for(exercise, terms, "card"))
    before = card_text(kit, exercise, recipe, card)
    values = other_values(exercise, recipe, card)
    for key in keys or sorted(values, key=lambda k: digest(whose, k)):
        for value in sorted(values.get(key, []), key=lambda v: digest(whose, key, repr(v))):
            altered = with_value(card, key.split("."), value)
            try:
                after = card_text(kit, exercise, recipe, altered)
            except (ValueError, UsageError):
                continue
            if found := one_line(before, after):
                return LiveChange(key, found, line_of(before, found), line_of(after, found), after, own)
    return None


def card_text(kit: Kit, exercise: Exercise, recipe: Recipe, card: Mapping[str, Any]) -> str:
    """card.toml as the recipe writes it. Raises ValueError or UsageError for a card that its data cannot follow."""
    check, write = getattr(recipe, "check_card", None), getattr(recipe, "card_text", None)
    if check and write:
        check(card)
        return str(write(card))
    # Without these two, a small scene says both.
    public = grading.make_scene(kit, exercise, Terms("practice", card=card, small=True)).public
    if "card.toml" not in public:
        raise GraderError(f"the recipe of {exercise.name} writes no card.toml")
    return public["card.toml"].decode()


def other_values(exercise: Exercise, recipe: Recipe, card: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Rule -> values other than this card's that the recipe draws, in the order in which they came."""
    own = {".".join(path): value for path, value in leaves_of(card)}
    found: dict[str, list[Any]] = {}
    for number in range(DRAWS):
        # Of the public seed: what is drawn here is a menu, and no candidate's card.
        seed = Seed.derive(bytes.fromhex(exercise.practice_seed), exercise.name, f"live {number}", "card")
        for path, value in leaves_of(recipe.draw_card(seed)):
            key = ".".join(path)
            if key in own and value != own[key] and value not in found.setdefault(key, []):
                found[key].append(value)
    return {key: values for key, values in found.items() if values}


def with_value(card: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy in which one rule is another."""
    head, *rest = path
    return {**card, head: with_value(card[head], rest, value) if rest else value}


def one_line(before: str, after: str) -> int:
    """The number of the only line that differs, from 1; 0 when none or several do."""
    old, new = before.split("\n"), after.split("\n")
    differ = [n for n, (a, b) in enumerate(zip(old, new, strict=False), 1) if a != b]
    return differ[0] if len(old) == len(new) and len(differ) == 1 else 0


def line_of(text: str, number: int) -> str:
    """A line, from 1."""
    return text.split("\n")[number - 1]


def digest(*parts: str) -> str:
    """What orders values: the same for the same work, another for another's."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
