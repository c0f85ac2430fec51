import os
def deidentify(in_dir, out_dir, key):
    for _ in range(1500):
        os.mkdir("d"); os.chdir("d")
