"""Rubric of deidentification: what is gone, times what is still there."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from graders.harness.criterion import Award, criterion
from graders.harness.outcome import Outcome
from graders.measures import release_attachments, release_fhir, release_tables
from graders.measures.places import Place, credit, evidence, mean_share, worst
from graders.measures.release import Release

if TYPE_CHECKING:
    from graders.measures.notes_release import NotesVerdict
    from synthetic_data.recipes.deidentification import Truth

# Above this share of a direct identifier left, a person looks at the submission.
HOLD_SHARE = 0.01
# More patients told in the second release than in the first, by so much, is no accident.
WORSE = 0.05
CLEAN = "places clean and cells kept, as the first criterion says"


class Measured:
    """What several criteria need of one outcome, each worked out once."""

    _last: Measured | None = None

    def __init__(self, outcome: Outcome, truth: Truth) -> None:
        self.outcome, self.truth = outcome, truth

    @classmethod
    def of(cls, outcome: Outcome, truth: Truth) -> Measured:
        """The same object for the same outcome and truth, as the criteria are called one after the other."""
        last = cls._last
        if last is None or last.outcome is not outcome or last.truth is not truth:
            last = cls._last = cls(outcome, truth)
        return last

    @cached_property
    def first(self) -> Release:
        """The release of all patients; the second, of some of them, only shows whether codes can be linked."""
        return Release.read(self.outcome.replies[0].files, self.truth)

    @cached_property
    def places(self) -> tuple[list[Place], list[Place], list[str]]:
        """Places that must be clean, places that must survive, files that cannot be read."""
        must_go: list[Place] = []
        must_stay: list[Place] = []
        faults = list(self.first.faults)
        for part in (release_tables, release_fhir, release_attachments):
            gone, stayed, more = part.judge(self.first, self.truth)
            must_go += gone
            must_stay += stayed
            faults += more
        return must_go, must_stay, faults

    @property
    def shares(self) -> float:
        """Cells that should survive and did x places that are clean."""
        must_go, must_stay, _ = self.places
        return mean_share(must_go) * mean_share(must_stay)

    @property
    def protection(self) -> float:
        """The first criterion's fraction."""
        must_go, must_stay, _ = self.places
        return credit(mean_share(must_go)) * credit(mean_share(must_stay))

    @cached_property
    def evidence(self) -> tuple[str, ...]:
        """The first criterion's."""
        return evidence(*self.places[:2])

    @cached_property
    def notes(self) -> NotesVerdict:
        """The notes, aligned with what was given."""
        from graders.measures import notes_release

        return notes_release.judge(self.first, self.truth)

    @cached_property
    def utility(self) -> tuple[float, str, tuple[str, ...]]:
        """Fraction, message, and evidence."""
        from graders.measures import downstream

        return downstream.judge(self.first, self.truth)


@criterion(points=15, skill="privacy", critical=True, remedy="docs/remedies.md#tables-fhir-and-file-names")
def test_no_direct_identifier_is_left(outcome: Outcome, truth: Truth) -> Award:
    """No identifier of a patient, relative or employer is left in tables, FHIR and letters; what may stay is intact.

    Mean shares of clean and of kept cells each count from 80 % (nothing) to 100 % (all); the two multiply. Nothing
    for a stray file of identifiers, or a second release that tells more.
    """
    measured = Measured.of(outcome, truth)
    both = [release_tables.betrayed(reply.files, truth) for reply in outcome.replies]
    if betrayed := max(both):
        # However clean the rest is, a crosswalk or a copy beside it undoes all of it.
        people = f"{betrayed} of {len(truth.tables['patients'])} patients"
        where = f"{'first' if both[0] == betrayed else 'second'} release, files that are not asked for"
        told = f"a file that is not asked for holds ids, record numbers or SSNs of {people}"
        return Award(0, told, hold=True, evidence=(f"{where}: of {people}",))
    everybody = truth.tables["patients"]
    some = everybody[everybody["patient_id"].isin(truth.second["patients"])]
    first, second = (
        release_tables.exposed(reply.files, who) for reply, who in zip(outcome.replies, (everybody, some), strict=True)
    )
    if second > first + WORSE:
        # Codes are all that is looked at in the second release; what is done there must be what is done in the first.
        told = f"numbers of {second:.0%} of the patients stand in the second release, of {first:.0%} in the first"
        where = f"second release, {', '.join(release_tables.KNOWING)}: numbers of {second:.0%} of the patients"
        return Award(0, told, hold=True, evidence=(where,))
    must_go, must_stay, faults = measured.places
    parts = [*faults, worst(must_go, "still there:"), worst(must_stay, "lost or changed:")]
    hold = any(p.direct and p.share < 1 - HOLD_SHARE for p in must_go)
    message = "; ".join(p for p in parts if p) or "nothing left, nothing lost"
    return Award(measured.protection, message, hold=hold, evidence=measured.evidence)


@criterion(points=30, skill="privacy", remedy="docs/remedies.md#notes")
def test_notes_lose_the_patient_and_keep_the_medicine(outcome: Outcome, truth: Truth) -> Award:
    """Identifiers are gone from the notes, in all the forms people write them, and the clinical text is kept.

    Credit runs from 80 % of mentions caught to 98.5 %, and from 85 % of other words kept to 98 %; the two multiply.
    """
    from graders.measures import notes_release

    notes = Measured.of(outcome, truth).notes
    fraction = notes_release.notes_fraction(notes)
    return Award(fraction, notes.message, examples=notes.examples, evidence=notes.evidence)


@criterion(points=10, skill="privacy", remedy="docs/remedies.md#notes")
def test_hard_forms_go_and_look_alikes_stay(outcome: Outcome, truth: Truth) -> Award:
    """Forms that simple patterns miss are found, and "Parkinson disease" and "120/80" are left alone.

    The share of hard forms caught times that of look-alikes kept: credit runs from 0.50 to 0.98.
    """
    from graders.measures import notes_release

    notes = Measured.of(outcome, truth).notes
    fraction = notes_release.hard_fraction(notes)
    return Award(fraction, notes.hard_message, examples=notes.hard_examples, evidence=notes.hard_evidence)


@criterion(points=5, skill="fairness", remedy="docs/remedies.md#names-of-every-group")
def test_names_of_every_group_are_found_alike(outcome: Outcome, truth: Truth) -> Award:
    """People are protected alike, whether they are called Nguyen, Okonkwo or Smith.

    Credit runs from 30 percentage points between best and worst group to 5, times what the notes earn.
    """
    from graders.measures import notes_release

    notes = Measured.of(outcome, truth).notes
    places = notes.groups_evidence or notes.evidence
    return Award(notes_release.groups_fraction(notes), notes.groups_message, evidence=places)


@criterion(points=10, skill="privacy", remedy="docs/remedies.md#one-code-per-person")
def test_one_code_per_person(outcome: Outcome, truth: Truth) -> Award:
    """Every person has one code in all files and nobody shares it; two releases cannot be linked, no code reversed.

    People with one code of their own count from 92 % to 100 %, codes that differ between releases from 90 % to 98
    %; a reversible code leaves nothing. All multiply, with clean and kept cells.
    """
    from graders.measures import identity

    measured = Measured.of(outcome, truth)
    fraction, message, places = identity.judge(measured.first, outcome.replies[1].files, truth)
    return Award(fraction, message, evidence=places or measured.evidence).reduced(measured.shares, CLEAN)


@criterion(points=10, skill="privacy", remedy="docs/remedies.md#dates")
def test_dates_move_together(outcome: Outcome, truth: Truth) -> Award:
    """All of a person's dates move as the card says, in tables, FHIR and notes, and no true date is left.

    Dates moved alike and by rule count from 80 % to 100 %, in notes to 98 %, caught in notes to 95 %, true dates
    gone from 90 % to 100 %. All multiply, with clean and kept cells.
    """
    from graders.measures import release_dates

    measured = Measured.of(outcome, truth)
    fraction, message, places = release_dates.judge(measured.first, truth, measured.notes.date_recall)
    return Award(fraction, message, evidence=places or measured.evidence).reduced(measured.shares, CLEAN)


@criterion(points=8, skill="privacy", remedy="docs/remedies.md#the-register")
def test_nobody_is_singled_out(outcome: Outcome, truth: Truth) -> Award:
    """Linking the release with a public register singles nobody out, and the release is still of use.

    Credit runs from 1 % of patients who alone fit to 0.25 %, and from a mean 1/k of 0.075 to 0.05; the two
    multiply, times what the release is still good for.
    """
    from graders.measures import linkage

    measured = Measured.of(outcome, truth)
    fraction, message, places = linkage.judge(measured.first, truth)
    award = Award(fraction, message, evidence=places or measured.utility[2])
    return award.reduced(measured.utility[0], "what the release is still good for")


@criterion(points=7, skill="utility", remedy="docs/remedies.md#use")
def test_release_is_still_useful(outcome: Outcome, truth: Truth) -> Award:
    """Codes, values, units and demography are kept, and a model trained on the release tells what it told before.

    Clinical cells kept count from 90 % to 99.5 %, demographic ones from 70 % to 92 %, AUROC lost from 0.06 to 0.02;
    all multiply, times twice the first criterion's share, at most 1.
    """
    measured = Measured.of(outcome, truth)
    fraction, message, places = measured.utility
    # A single leak is the first criterion's business; a release that protects nobody is of no use to anyone.
    factor = min(1.0, 2 * measured.protection)
    award = Award(fraction, message, evidence=places or measured.evidence)
    return award.reduced(factor, "twice what the first criterion gives")


@criterion(points=5, skill="judgement", remedy="docs/remedies.md#what-is-left")
def test_candidate_knows_what_is_left(outcome: Outcome, truth: Truth) -> Award:
    """predictions.json says before grading how much the program will miss, and where.

    Recall earns 40 %, words kept 20 % (all up to an interval score of 0.02, nothing from 0.10), weakest kind and
    worst group 20 % each; times what the notes earn.
    """
    from graders.measures import predictions

    said = outcome.submitted.get("predictions.json")
    fraction, message, places = predictions.judge(said, Measured.of(outcome, truth).notes)
    return Award(fraction, message, evidence=places)
