"""A clean release whose rows have more cells than the header: a lenient parser drops them unread."""

from base_solution import deidentify as good


def deidentify(in_dir, out_dir, key):
    good(in_dir, out_dir, key)
    cleaned = (out_dir / "patients.csv").read_text().splitlines()
    originals = (in_dir / "patients.csv").read_text().splitlines()
    rows = [cleaned[0]] + [f"{a},{b}" for a, b in zip(cleaned[1:], originals[1:])]
    (out_dir / "patients.csv").write_text("\n".join(rows) + "\n")
