# Two million columns, in the header and, quoted, over thousands of lines.
def body_mass_index(in_dir, out_dir, factor):
    header = "," * 2_000_000 if factor == 1 else "\"" + "\n" * 1_000_000 + "\",patient_id,bmi"
    (out_dir / "bmi.csv").write_text(f"patient_id,bmi{header}\n")
    return len((in_dir / "patients.csv").read_text().splitlines()) - 1
