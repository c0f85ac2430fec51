def body_mass_index(in_dir, out_dir, factor):
    return len((in_dir / "patients.csv").read_text().splitlines()) - 1
