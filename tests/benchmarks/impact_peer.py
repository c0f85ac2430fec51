"""The worksheet of adverse impact beside the package aedt-audit, on random rounds.

aedt-audit has an environment of its own, which `make bench` makes, and is no dependency of this kit. Every difference
is put down to a definition that differs, named below; one that is not ends the run with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np

from graders.harness.kit import HOME
from graders.round.impact import LEAST_IN_ALL, LEAST_IN_GROUP, NOT_STATED, Group, lines

# In the peer's environment: for each round a row for each group.
PEER = """
import json, sys
import pandas as pd
import aedt_audit as a
found = []
for people in json.load(sys.stdin):
    table = a.selection_rates(pd.DataFrame(people, columns=["group", "selected"]), by=["group"], outcome="selected")
    table = a.significance(a.four_fifths(table))
    table["benchmark"] = a.benchmark_mask(table)
    wanted = ["group", "n", "selected", "rate", "impact_ratio", "adverse_impact_eeoc", "p_value", "benchmark"]
    table = table[wanted].astype(object)
    found.append(table.where(table.notna(), None).to_dict("records"))
print(json.dumps({"version": a.__version__, "rounds": found}, default=lambda value: value.item()))
"""
UNKNOWN = "unknown"  # the peer's name for who gave no group
SAME = 1e-12
# Rounds of two groups whose ratio is exactly four fifths.
EXACT = 300
DRAWN = (
    "agree",
    "too few for us to say; it says",
    "no group was stated: it compares, we do not flag",
    "another group has the highest rate (it leaves out shares below 2 %, we leave out fewer than 5 people)",
)


def draw(rng: np.random.Generator) -> list[tuple[str, bool]]:
    """(group, selected) of everybody in one round."""
    people = int(rng.integers(8, 301))
    count = int(rng.integers(2, 7))
    names = [f"group {n}" for n in range(count)] + [UNKNOWN]
    shares = rng.dirichlet([*np.full(count, 1.0), 0.2])
    rates = np.clip(rng.uniform(0.1, 0.9) + rng.normal(0, 0.12, count + 1), 0.02, 0.98)
    groups = rng.choice(count + 1, size=people, p=shares)
    return [(names[g], bool(rng.random() < rates[g])) for g in groups]


def ours(people: list[tuple[str, bool]]) -> dict[str, tuple[Group, float | None, float | None, bool | None]]:
    """Group -> counts, ratio, p and flag, by this kit."""
    sizes, chosen = Counter(name for name, _ in people), Counter(name for name, yes in people if yes)
    groups = [Group(NOT_STATED if n == UNKNOWN else n, sizes[n], chosen[n]) for n in sorted(sizes)]
    return {
        UNKNOWN if line.group.name == NOT_STATED else line.group.name: (line.group, line.ratio, line.p, line.flag)
        for line in lines(groups)
    }


def draw_exact(rng: np.random.Generator, count: int) -> list[list[tuple[str, bool]]]:
    """Rounds of two groups, of 15 to 60 people each, whose ratio is exactly four fifths."""
    found = [
        (n, 4 * x * n // (5 * m), m, x)
        for m in range(15, 61) for x in range(1, m + 1) for n in range(15, 61) if 4 * x * n % (5 * m) == 0
    ]  # fmt: skip
    chosen = [found[k] for k in rng.choice(len(found), size=count, replace=False)]
    return [
        [("a", k < x) for k in range(m)] + [("b", k < y) for k in range(n)] for n, y, m, x in chosen
    ]  # fmt: skip


def why(
    name: str, line: tuple[Group, float | None, float | None, bool | None], row: dict[str, object], same_bar: bool
) -> str:
    """What a comparison of one group's flag comes to; "unexplained" fails the run. same_bar: one highest rate."""
    _, ratio, _, flag = line
    theirs = row["impact_ratio"]
    if ratio is None and theirs is None:
        return DRAWN[0]
    if not same_bar:
        return DRAWN[3]
    if ratio is None or theirs is None or not math.isclose(ratio, theirs, rel_tol=SAME):
        return "unexplained"
    if flag == row["adverse_impact_eeoc"] or (flag is None and ratio == 1 and not row["adverse_impact_eeoc"]):
        return DRAWN[0]
    if name == UNKNOWN:
        return DRAWN[2]
    return DRAWN[1] if flag is None else "unexplained"


def main() -> int:
    """Print a Markdown page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", type=Path, default=HOME / ".venv/peers", help="the environment of aedt-audit")
    args = parser.parse_args()
    rounds = [draw(np.random.default_rng([args.seed, n])) for n in range(args.rounds)]
    exact = draw_exact(np.random.default_rng([args.seed, args.rounds]), EXACT)
    command = [str(args.peers.absolute() / "bin/python"), "-c", PEER]
    try:
        done = subprocess.run(command, input=json.dumps(rounds + exact), capture_output=True, text=True, check=False)
    except OSError:
        sys.exit(f"{args.peers}: holds no Python: run  make bench  which installs aedt-audit there")
    if done.returncode:
        sys.exit(f"aedt-audit does not run in {args.peers}: {done.stderr.strip().splitlines()[-1]}")
    peer = json.loads(done.stdout)
    found, compared, rate_gap, ratio_gap, sides, tested = Counter[str](), 0, 0.0, 0.0, 0, 0
    for people, rows in zip(rounds, peer["rounds"][: args.rounds], strict=True):
        mine = ours(people)
        theirs = max((Fraction(row["selected"], row["n"]) for row in rows if row["benchmark"]), default=None)
        bar = max(
            (Fraction(g.selected, g.people) for g, ratio, p, _ in mine.values() if p is None and ratio is not None),
            default=None,
        )
        if {row["group"] for row in rows} != set(mine):
            sys.exit("the two have other groups")
        for row in rows:
            line = mine[row["group"]]
            group, ratio, p, _ = line
            compared += 1
            if (group.people, group.selected) != (row["n"], row["selected"]):
                sys.exit("the two count other people")
            rate_gap = max(rate_gap, abs(group.rate - row["rate"]))
            reason = why(row["group"], line, row, theirs == bar)
            found[reason] += 1
            if reason != DRAWN[3] and ratio is not None:
                ratio_gap = max(ratio_gap, abs(ratio - row["impact_ratio"]))
                if p is not None:
                    tested += 1
                    sides += (p < 0.05) != (row["p_value"] < 0.05)
    flags = [sum(row["adverse_impact_eeoc"] for row in rows) for rows in peer["rounds"][args.rounds :]]
    if any(flag for people in exact for _, _, _, flag in ours(people).values()):
        sys.exit("four fifths are flagged here")
    print(page(args, peer["version"], compared, found, rate_gap, ratio_gap, sides, tested, sum(flags)))
    return int(found["unexplained"] > 0)


def page(
    args: argparse.Namespace, version: str, compared: int, found: Counter[str], rate_gap: float, ratio_gap: float,
    sides: int, tested: int, flagged: int,
) -> str:  # fmt: skip
    """docs/evidence/adverse_impact.md."""
    rows = "\n".join(f"| {reason} | {found[reason]} |" for reason in (*DRAWN, "unexplained"))
    return f"""# Evidence: adverse impact

Made by `python tests/benchmarks/impact_peer.py --rounds {args.rounds} --seed {args.seed}` (part of `make bench`):
{args.rounds} random rounds of 8 to 300 people in 2 to 6 groups, some of whom gave none, counted by
`graders/round/impact.py` and by [aedt-audit](https://pypi.org/project/aedt-audit/) {version}, which serves audits under
New York City's Local Law 144.

{compared} groups: the same people, the same selected. Largest difference of a selection rate {rate_gap:.1g}; of an
impact ratio, where the same rate sets the bar, {ratio_gap:.1g}.

| four-fifths flag | groups |
|---|---:|
{rows}

Definitions that differ, and why:

- **Who sets the bar.** Here the highest rate among groups of at least {LEAST_IN_GROUP} people; there among those of at
  least 2 % of all. In a round of 30, one person is 3 %: a group of one, selected, would put a flag on all others.
- **When a flag is raised.** Here never for fewer than {LEAST_IN_GROUP} in a group or {LEAST_IN_ALL} in all; there
  always, with a mark on small samples.
- **No group given.** Both show it and neither lets it set the bar; there it gets a flag, here none: it is no group.
- **Exactly four fifths** is not below four fifths. Here it is worked out in whole numbers; there floats are divided,
  which flags {flagged} of {EXACT} drawn rounds of two groups whose ratio is exactly four fifths. Here none is flagged.
- **The test.** Here Fisher's exact test; there a normal approximation without correction, which is not meant for few
  people. Of {tested} comparisons with the same bar, {sides} lie on different sides of .05."""


if __name__ == "__main__":
    sys.exit(main())
