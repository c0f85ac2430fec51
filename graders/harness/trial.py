"""What a probe runs in a sandbox: is a process, confined as a submission will be, really shut in? Exit code 0 or 1.

Standard library only; lies in the sandbox. It loads as little as it can: a probe takes as long as Python's start.
"""

from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
if TYPE_CHECKING or __package__:
    from graders.harness.confinement import Confinement
else:  # in the sandbox these files lie side by side, and there is no kit
    from confinement import Confinement


def main(config: dict[str, Any]) -> int:
    """Confine a child, which looks for itself; what is wrong is written to standard error."""
    # A folder that everybody may enter, as those of a run are.
    os.makedirs(config["work"], exist_ok=True)  # noqa: PTH103 - pathlib takes longer to load than all else here
    confinement = Confinement(config, [], None)
    child = os.fork()
    if child:
        return int(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0)
    try:
        confinement.enter()
        for name in (config["python"], os.__file__, config["driver"]):
            os.close(os.open(name, os.O_RDONLY))
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{error}\n".encode())
        os._exit(1)


if __name__ == "__main__":
    # Without the interpreter's own tidying up.
    os._exit(main(marshal.loads(bytes.fromhex(sys.argv[1]))))  # noqa: S302 - from the grader, and json takes longer
