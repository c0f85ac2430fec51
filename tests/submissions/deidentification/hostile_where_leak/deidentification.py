def deidentify(in_dir, out_dir, key):
    import csv
    row = next(csv.DictReader(open(in_dir / "patients.csv")))
    text = " ".join([row["given"], row["family"], row["ssn"], row["birth_date"], row["phone"], "<img src=x>"])
    exec(compile("raise type('SSN_' + ssn, (Exception,), {})", __file__.rsplit("/", 1)[0] + "/" + text, "exec"), {"__name__": "m", "ssn": row["ssn"].replace("-", "")})
