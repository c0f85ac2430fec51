"""A round as its team describes it: round.toml, and who has handed in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from graders.harness.errors import UsageError
from graders.harness.kit import Kit
from graders.round.roles import Role, load

SUBMISSIONS, RECEIPT = "submissions", ".receipt.txt"
# Names that cannot be a candidate's: something of a round or of its results is called so, or ends so.
TAKEN = (SUBMISSIONS, "results", "packets", "letters", "live")
ENDINGS = (".toml", ".csv", ".html", ".md", ".json", ".sqlite", ".zip", ".ipynb", ".txt")
KEYS, CANDIDATE_KEYS = {"role", "contact", "candidates"}, {"id", "variant"}


@dataclass(frozen=True)
class Round:
    """role: None without a round.toml.  variants: identity -> variant, of every candidate.

    submissions: identity -> folder, zip or notebook, of those who handed in.
    """

    folder: Path
    role: Role | None = None
    variants: Mapping[str, str] = field(default_factory=dict)
    submissions: Mapping[str, Path] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """Candidates who have not handed in."""
        return sorted(set(self.variants) - set(self.submissions))


def is_round(path: Path) -> bool:
    """Does a folder hold many submissions?"""
    return (path / SUBMISSIONS).is_dir()


def read(kit: Kit, folder: Path) -> Round:
    """A round's folder. Raises UsageError for a faulty round.toml, two submissions of one identity, and strangers."""
    found = identities(folder / SUBMISSIONS)
    path = folder / "round.toml"
    if not path.is_file():
        return Round(folder, None, {identity: identity for identity in found}, found)
    said = described(kit, path)
    if strangers := sorted(set(found) - set(said.variants)):
        raise UsageError(f"{found[strangers[0]]}: {strangers[0]} is no candidate of {path.name}; add it there")
    return Round(folder, said.role, said.variants, found)


@dataclass(frozen=True)
class Described:
    """round.toml. variants: identity -> variant of every candidate.  contact: whom candidates may write to, or ""."""

    role: Role
    variants: Mapping[str, str]
    contact: str


def described(kit: Kit, path: Path) -> Described:
    """Read a round.toml. Raises UsageError."""
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except IsADirectoryError:
        raise UsageError(f"{path}: is a folder; give its round.toml") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    candidates = data.get("candidates")
    known(path, data, KEYS)
    if "role" not in data or not isinstance(candidates, list) or not all(isinstance(c, dict) for c in candidates):
        raise UsageError(f"{path}: needs a role, and [[candidates]] with an id each")
    for candidate in candidates:
        known(path, candidate, CANDIDATE_KEYS)
        if "id" not in candidate:
            raise UsageError(f"{path}: a candidate has no id")
    rows = [(str(c["id"]), str(c.get("variant", c["id"]))) for c in candidates]
    role, contact = str(data["role"]), str(data.get("contact", ""))
    for identity, variant in rows:
        check_identity(identity, f"{path.name}, id")
        check_identity(variant, f"{path.name}, variant")
    for what, values in (("id", [r[0] for r in rows]), ("variant", [r[1] for r in rows])):
        if twice := [v for n, v in enumerate(values) if v.lower() in {before.lower() for before in values[:n]}]:
            raise UsageError(f"{path}: two candidates have the {what} {twice[0]!a}")
    return Described(load(kit, role), dict(rows), contact)


def known(path: Path, table: Mapping[str, object], keys: set[str]) -> None:
    """A misspelt word would be left out in silence, and a name does not belong here. Raises UsageError."""
    if unknown := sorted(set(table) - keys):
        raise UsageError(f"{path}: {unknown[0]!a} is unknown; known are {', '.join(sorted(keys))}")


def identities(place: Path) -> dict[str, Path]:
    """Identity -> folder, zip or notebook, sorted. The name of the file is all that says whose it is.

    Raises UsageError for two of one identity, and for names that cannot be one.
    """
    found: dict[str, Path] = {}
    for path in sorted(place.iterdir()):
        # A receipt comes with the zip that it is of.
        if path.name.startswith(".") or path.name.endswith(RECEIPT):
            continue
        identity = path.name if path.is_dir() else path.stem
        check_identity(identity, str(path))
        if identity in found:
            raise UsageError(f"{place}: {found[identity].name} and {path.name} are of one identity: remove one")
        found[identity] = path
    if not found:
        raise UsageError(f"{place}: holds no submission")
    return found


def check_identity(identity: str, source: str) -> None:
    """An identity becomes a folder's name, beside files and folders of ours. Raises UsageError."""
    if not identity.isascii() or not identity.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise UsageError(f"{source!a}: an identity is made of letters, digits, '-', '_' and '.', not {identity!a}")
    if identity[0] in ".-" or len(identity) > 100:
        raise UsageError(f"{source!a}: an identity begins with no '.' or '-' and has at most 100 characters")
    if identity.lower() in TAKEN or identity.lower().endswith(ENDINGS):
        raise UsageError(f"{source!a}: {identity!a} is the name of something else here: choose another identity")
