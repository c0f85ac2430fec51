import csv


def body_mass_index(in_dir, out_dir, factor):
    word = open(in_dir / "card.toml").read().split('"')[1]
    out = csv.writer(open(out_dir / "bmi.csv", "w"))  # left open on purpose: flushed when the process ends
    out.writerow(["bmi", "patient_id"])
    n = 0
    for row in csv.DictReader(open(in_dir / "patients.csv")):
        metres = float(row["cm"]) / 100
        out.writerow([float(row["kg"]) / metres**2 * factor if metres else word, row["patient_id"]])
        n += 1
    return n
