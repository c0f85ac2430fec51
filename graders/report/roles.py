"""The page of all roles: what each asks, how long it takes, and which skills it sees. Generated into docs/roles.md."""

from __future__ import annotations

from graders.harness.kit import Kit
from graders.round import roles

TOP = """# Roles

What a role's packet asks, and where its points come from. Generated from `graders/roles/` and the criteria by
`caredrill new-exercise NAME --refresh`. Weights and the band are yours to change: copy a file there under another
name, and name it in `round.toml`. Below the band most of the work is missing, above it little is, and in it a person
decides. A skill with few points is seen, not measured.
"""


def page(kit: Kit) -> str:
    """docs/roles.md."""
    return "\n".join([TOP, *(section(kit, roles.load(kit, name)) for name in roles.names(kit))])


def section(kit: Kit, role: roles.Role) -> str:
    """One role: its exercises, and percent of all points by skill and exercise."""
    low, high = role.band
    lines = [f"## {role.title} (`{role.name}`)", "", f"{role.about} {role.minutes} minutes; band {low} to {high}.", ""]
    lines += [f"| skill | {' | '.join(role.weights)} | all |", f"|---|{'---:|' * (len(role.weights) + 1)}"]
    for skill, shares in roles.coverage(kit, role):
        cells = [f"{share:.0f}" if share else "" for share in shares.values()]
        lines.append(f"| {skill} | {' | '.join(cells)} | {sum(shares.values()):.0f} |")
    return "\n".join([*lines, f"| **weight** | {' | '.join(map(str, role.weights.values()))} | 100 |", ""])
