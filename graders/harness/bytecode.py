"""Our files as the sandbox runs them: compiled once for all runs of this process, not at every start."""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import marshal
from collections.abc import Mapping

from graders.harness.tier import FILES, HERE, TRIAL

# A compiled file that is not checked against a source (PEP 552).
HEADER = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)


@functools.cache
def compiled(program: str) -> Mapping[str, bytes]:
    """File name in the sandbox -> bytes, of "trial" or "inside". They import each other without their sources."""
    found = {}
    for name in TRIAL if program == "trial" else FILES:
        # Takes what Python keeps beside the source, where it does.
        stem = name.removesuffix(".py")
        code = importlib.machinery.SourceFileLoader(stem, str(HERE / name)).get_code(stem)
        found[f"{stem}.pyc"] = HEADER + marshal.dumps(code)
    return found
