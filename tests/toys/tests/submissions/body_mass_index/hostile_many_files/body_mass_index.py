# Hundreds of empty files in folders of folders, and more outputs than may be handed over.
import os


def body_mass_index(in_dir, out_dir, factor):
    for number in range(400):
        os.makedirs(out_dir / f"{number % 40}/{number}", exist_ok=True)
        (out_dir / f"{number}.csv").touch()
    return 20
