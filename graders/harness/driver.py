"""The child of inside.py: imports the submission's entry once and answers calls until the pipe closes.

Standard library only; runs with the submission's rights. A call is a line of JSON, a reply 4 bytes of length and JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import struct
import sys
import traceback
from pathlib import Path
from typing import Any


def plain(value: Any) -> Any:
    """For json: numpy values as lists and numbers, dataclasses as dicts; anything else is named by its type."""
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(type(value), "__dataclass_fields__"):
        return {name: getattr(value, name) for name in type(value).__dataclass_fields__}
    return {"@type": type(value).__name__}


def where(error: BaseException, home: str) -> str:
    """File and line of the submission where an exception came up, e.g. "deidentification.py:42"."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{os.path.relpath(error.filename, home)}:{error.lineno}"
    found, step = "", error.__traceback__
    while step:
        name = step.tb_frame.f_code.co_filename
        if name.startswith(home + os.sep):
            found = f"{os.path.relpath(name, home)}:{step.tb_lineno}"
        step = step.tb_next
    return found


def main(config: dict[str, Any]) -> None:
    """Import the entry once, then answer calls until the pipe closes."""
    requests, replies = os.fdopen(config["fd_in"], "rb"), os.fdopen(config["fd_out"], "wb")
    # The submission's own subprocesses must not inherit the reply pipe, or they would keep it open.
    os.set_inheritable(config["fd_in"], False)
    os.set_inheritable(config["fd_out"], False)
    folders = {name: Path(path) for name, path in config["folders"].items()}
    home, entry = config["submission"], config["entry"]
    sys.argv = [f"{home}/{entry}"]
    sys.path.insert(0, home)
    os.chdir(folders["@home"])
    thing: Any = None
    for line in requests:
        request = json.loads(line)
        try:
            if thing is None:
                thing = importlib.import_module(entry.removesuffix(".py").replace("/", "."))
                if config["kind"] == "object":
                    thing = getattr(thing, config["target"])
            arguments = [folders.get(a, a) if isinstance(a, str) else a for a in request["args"]]
            if config["kind"] == "object" and not request["target"]:
                thing = thing(*arguments)
                value = None
            else:
                value = getattr(thing, request["target"])(*arguments)
            reply = {"status": "ok", "value": value}
            try:
                text = json.dumps(reply, default=plain, allow_nan=False)
            except (TypeError, ValueError, RecursionError) as error:
                text = json.dumps({"status": "ok", "value": {"@type": type(value).__name__, "@why": str(error)[:200]}})
        except SystemExit:
            text = json.dumps({"status": "exited", "value": None})
        except BaseException as error:
            detail = "".join(traceback.format_exception(error)[-12:])[-4000:]
            value = {
                "error": type(error).__name__,
                "where": where(error, home),
                "errno": getattr(error, "errno", None),
                "text": detail,
            }
            text = json.dumps({"status": "raised", "value": value}, default=plain)
        data = text.encode("utf-8", "backslashreplace")
        replies.write(struct.pack(">I", len(data)) + data)
        replies.flush()
        if config["kind"] == "call":
            return


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
