"""Which installed files a submission may import: the manifest's packages, what they depend on, and nothing else."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from graders.harness.errors import ExerciseError


@functools.cache
def importable(packages: tuple[str, ...]) -> Mapping[str, Path]:
    """Top-level names in site-packages -> their path, for `packages` and all they require.

    Raises ExerciseError when one is not installed.
    """
    from packaging.requirements import Requirement

    found: dict[str, Path] = {}
    waiting, seen = list(packages), set[str]()
    while waiting:
        name = waiting.pop()
        if name.lower() in seen:
            continue
        seen.add(name.lower())
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            raise ExerciseError(f"the package {name} is not installed: run  pip install {name}") from None
        found |= top_level(distribution)
        for line in distribution.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def top_level(distribution: metadata.Distribution) -> dict[str, Path]:
    """The entries of site-packages that belong to one distribution, its metadata among them."""
    record = distribution.read_text("RECORD")
    names = record.splitlines() if record else [str(f) for f in distribution.files or ()]
    tops = {line.split("/", 1)[0].split(",", 1)[0].strip('"') for line in names}
    root = Path(str(distribution.locate_file("")))
    # Scripts lie outside ("..") and the bytecode of single-file modules is shared with others.
    return {top: root / top for top in tops - {"..", "__pycache__", ""} if (root / top).exists()}


def interpreter() -> tuple[Path, list[Path]]:
    """The base interpreter's executable, and the folders of third-party packages it must not see."""
    executable = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    prefix = Path(sys.base_prefix)
    hidden = [
        prefix / "lib" / version / "site-packages",
        prefix / "local/lib" / version / "dist-packages",
        prefix / "lib/python3/dist-packages",
        Path("/usr/lib/python3/dist-packages"),
        Path("/usr/local/lib") / version / "site-packages",
        Path("/usr/local/lib") / version / "dist-packages",
    ]
    return executable, [p for p in dict.fromkeys(hidden) if p.is_dir()]
