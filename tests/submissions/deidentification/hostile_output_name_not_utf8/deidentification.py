import os
def deidentify(in_dir, out_dir, key):
    with open(os.fsencode(out_dir) + b"/\xff.csv", "wb") as f: f.write(b"x")
