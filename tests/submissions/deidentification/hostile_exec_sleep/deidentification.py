import os
def deidentify(in_dir, out_dir, key):
    os.execv("/bin/sleep", ["sleep", "100000"])
