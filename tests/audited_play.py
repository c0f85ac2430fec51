"""Grades samples of the toys under an audit hook, and prints what of them this process ran: nothing, it should be.

    python -P tests/audited_play.py RESULTS EXERCISE/SAMPLE ...     grades them, each in its own folder
    python -P tests/audited_play.py --control FOLDER                runs the harmless files of FOLDER itself

An audit hook sees all code that is compiled, executed or unpickled, whoever asks for it, and cannot be taken off.
"""

from __future__ import annotations

import builtins
import json
import os
import pickle
import shutil
import sys
import types
import warnings
import zipfile
from pathlib import Path

MARK = "caredrill_canary"
# Nothing of ours or of the libraries does these while grading.
NEVER = {"pickle.find_class", "sys.settrace", "sys.setprofile", "os.system"}
found: list[str] = []
texts: set[bytes] = set()
codes: set[object] = set()
modules: set[str] = set()
places = {""}


def gist(code: types.CodeType) -> tuple[object, ...]:
    """What tells the code of a module from others, whoever compiled it and whatever it was called."""
    return code.co_code, code.co_names, tuple(value for value in code.co_consts if isinstance(value, str))


def know(path: Path) -> None:
    """Remember the files of a submission, those of archives and notebooks among them, and what they compile to."""
    files = {p.name: p.read_bytes() for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file()}
    for name, data in list(files.items()):
        if name.endswith(".zip"):
            try:
                with zipfile.ZipFile(path) as archive:
                    files |= {i.filename: archive.read(i) for i in archive.infolist() if i.file_size < 2**16}
            except (ValueError, zipfile.BadZipFile):
                continue
        elif name.endswith(".ipynb"):
            for number, cell in enumerate(json.loads(data)["cells"] if len(data) < 10_000 else []):
                files[f"{number}.py"] = "".join(cell["source"]).encode()
    for name, data in files.items():
        if data.strip():
            texts.add(data.strip())
        if name.endswith(".py"):
            modules.add(Path(name).stem)
            try:
                code = compile(data, name, "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                continue
            # One that names nothing is the same in many files.
            codes.update({gist(code)} if code.co_names else set())


def watch(event: str, args: tuple[object, ...]) -> None:
    """The hook."""
    if event == "exec":
        seen = gist(args[0]) in codes
    elif event == "compile":
        source = args[0].encode() if isinstance(args[0], str) else args[0]
        seen = isinstance(source, bytes) and (source.strip() in texts or MARK.encode() in source)
    elif event == "import":
        # Modules of ours and of the libraries have some of the names; only where they come from tells them apart.
        own = {"conftest", "cheat_plugin", "sitecustomize", "usercustomize", "base_solution", "service"}
        seen = args[0] in own & modules or bool(places & set(args[2] or ()))
    elif event == "marshal.loads":
        seen = MARK.encode() in args[0]
    else:
        seen = event in NEVER or (event in ("open", "subprocess.Popen") and MARK in str(args[:2]))
    if seen:
        found.append(f"{event} {str(args[:2])[:120]}")


def grade(results: Path, wanted: list[str]) -> None:
    """Grade samples as `caredrill grade` does, from a folder that holds a copy of the sample."""
    from exercise_lint import TOYS, play_sample, sample_path

    from graders.harness import grading, outcome
    from graders.harness.kit import Kit
    from graders.harness.scorecard import score
    from graders.report import html

    kit = Kit(TOYS)
    for name, sample in (word.split("/") for word in wanted):
        know(sample_path(kit, name, sample))
    sys.addaudithook(watch)
    for name, sample in (word.split("/") for word in wanted):
        folder, path = results / "in" / sample, sample_path(kit, name, sample)
        if path.is_dir():
            shutil.copytree(path, folder)
        else:
            folder.mkdir(parents=True)
            shutil.copy(path, folder)
        before = sorted(folder.rglob("*"))
        os.chdir(folder)
        places.add(str(folder))
        graded = play_sample(kit, name, sample)
        stored = grading.store(graded, results / "out", sample)
        truth = outcome.read_truth(results / "out/.truth" / sample / name)
        again = score(kit, outcome.read(stored), truth)
        html.write([again], results / "out" / sample / "scorecard.html")
        found.extend(f"changed {sample}: {path}" for path in set(folder.rglob("*")) ^ set(before))


def control(folder: Path) -> None:
    """Do with harmless files what grading must never do, once in each way."""
    know(folder)
    sys.addaudithook(watch)
    sys.path.insert(0, str(folder))
    __import__("conftest")
    exec((folder / "solution.py").read_text())
    pickle.loads((folder / "model.pkl").read_bytes())


def main() -> None:
    """Say what was seen, as JSON."""
    warnings.simplefilter("ignore")
    if sys.argv[1] == "--control":
        control(Path(sys.argv[2]))
    else:
        grade(Path(sys.argv[1]), sys.argv[2:])
    print(json.dumps({"seen": found, "canary": hasattr(builtins, MARK)}))


if __name__ == "__main__":
    main()
