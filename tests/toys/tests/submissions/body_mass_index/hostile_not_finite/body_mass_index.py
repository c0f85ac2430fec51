# Numbers that are no measurement, equal to everything or out of every range, and each patient once with each of them.
VALUES = ("nan", "NaN", "inf", "-Infinity", "1e308", "-1e999", "1_0", "0x10", "", " ", "unknown", "implausible", "missing")


def body_mass_index(in_dir, out_dir, factor):
    names = [line.split(",")[0] for line in (in_dir / "patients.csv").read_text().splitlines()[1:]]
    rows = [f"{name},{value}" for value in VALUES[:10] for name in names]
    (out_dir / "bmi.csv").write_text("\n".join(["patient_id,bmi", *rows, ""]))
    return len(names)
