import os


def body_mass_index(in_dir, out_dir, factor):
    os.symlink("/etc/passwd", out_dir / "bmi.csv")
    os.mkfifo(out_dir / "pipe.csv")
    return 20
