# Fails in a line whose number is the first patient's weight, of a file that has not so many.
def body_mass_index(in_dir, out_dir, factor):
    weight = (in_dir / "patients.csv").read_text().splitlines()[1].split(",")[1]
    exec(compile("\n" * int(float(weight) * 1000) + "raise LookupError", __file__, "exec"))
