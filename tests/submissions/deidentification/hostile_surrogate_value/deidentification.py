def deidentify(in_dir, out_dir, key):
    return "\ud800"
