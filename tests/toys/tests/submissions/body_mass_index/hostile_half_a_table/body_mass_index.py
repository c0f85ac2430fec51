# Writes the first ten rows, breaks off within the eleventh, and claims all of them.
from base_solution import body_mass_index as honest


def body_mass_index(in_dir, out_dir, factor):
    count = honest(in_dir, out_dir, factor)
    lines = (out_dir / "bmi.csv").read_text().splitlines()
    (out_dir / "bmi.csv").write_text("\n".join(lines[:11]) + "\n" + lines[11].split(",")[0][:2])
    return count
