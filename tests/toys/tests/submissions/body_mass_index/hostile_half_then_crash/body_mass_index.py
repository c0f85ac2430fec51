# Writes the good table, then the first half of it again, and crashes with the file open.
import ctypes

from base_solution import body_mass_index as honest


def body_mass_index(in_dir, out_dir, factor):
    honest(in_dir, out_dir, factor)
    rows = (out_dir / "bmi.csv").read_text()
    out = open(out_dir / "bmi.csv", "w")
    out.write(rows[: len(rows) // 2])
    out.flush()
    ctypes.string_at(0)
