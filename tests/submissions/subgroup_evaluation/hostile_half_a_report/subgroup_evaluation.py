"""Writes the first half of a report and breaks off."""


def evaluate(in_dir, out_dir):
    with open(out_dir / "report.json", "w") as file:
        file.write('{"rows": [{"by": {}, "metric": "o_e", "n": 12')
        file.flush()
        raise RuntimeError("threshold 0.15, and other things that a message might say")
