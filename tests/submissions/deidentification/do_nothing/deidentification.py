import shutil


def deidentify(in_dir, out_dir, key):
    shutil.copytree(in_dir, out_dir, dirs_exist_ok=True)
