"""Good work that hides small counts where they are looked for, and shows them everywhere else."""

import json
import tomllib

import base_solution as base


def evaluate(in_dir, out_dir):
    base.evaluate(in_dir, out_dir)
    card = tomllib.loads((in_dir / "card.toml").read_text())
    table = base.load(in_dir, card)
    path = out_dir / "report.json"
    report = json.loads(path.read_text())

    def count(cell):
        found = table[base.inside(table, cell)]
        return found["patient"].nunique() if card["counts"] == "patients" else len(found)

    for row in report["rows"]:
        n = count(row["by"])
        if 1 <= n < card["min_cell"]:
            row |= {"n": f"{n} {card['counts']}", "lo": n, "hi": n, "count": n}
    # Cells and metrics that the card does not have.
    for cell in [{"race": "NHPI", "payer": payer} for payer in card["levels"]["payer"]] + [{"race": "NHPI"}]:
        report["rows"].append({"by": cell, "metric": "o_e" if len(cell) == 2 else "n", "n": count(cell)})
    cell = {"race": "NHPI"}
    note = {"by": cell, "metric": "o_e", "direction": "higher", "tier": "watch", "cause": "case_mix", "n": count(cell)}
    report["findings"].append(note | {"action": f"only {count(cell)} {card['counts']}"})
    path.write_text(json.dumps(report))
