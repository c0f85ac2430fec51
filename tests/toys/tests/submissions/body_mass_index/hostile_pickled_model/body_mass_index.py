# The models beside it, and the "CSV" that it writes, are pickles that run a command where they are loaded.
import pickle
from pathlib import Path


class Model:
    def __reduce__(self):
        return (exec, ("open('caredrill_canary', 'w').close()",))


def body_mass_index(in_dir, out_dir, factor):
    for name in ("bmi.csv", "bmi.pkl", "model.joblib", "model.pt"):
        (out_dir / name).write_bytes(pickle.dumps(Model()))
    # The models handed in beside it were not let in.
    assert not list(Path(__file__).parent.glob("model.*"))
    return len((in_dir / "patients.csv").read_text().splitlines()) - 1
