"""What honest submissions do; each function returns "fine" when it works."""

import os
import sys


def uses_asyncio():
    import asyncio

    async def work():
        await asyncio.sleep(0.01)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(1)", stdout=-1)
        return (await process.communicate())[0]

    return "fine" if asyncio.run(work()) == b"1\n" else "no"


def uses_threads():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        return "fine" if sum(pool.map(abs, range(100))) == 4950 else "no"


def square(n):
    return n * n


def uses_multiprocessing_fork():
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(2) as pool:
        return "fine" if pool.map(square, range(5)) == [0, 1, 4, 9, 16] else "no"


def uses_multiprocessing_spawn():
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return "fine" if pool.map(square, range(5)) == [0, 1, 4, 9, 16] else "no"


def uses_shared_memory():
    from multiprocessing import shared_memory

    block = shared_memory.SharedMemory(create=True, size=1000)
    block.close()
    block.unlink()
    return "fine"


def uses_its_own_subprocess_with_pandas():
    import subprocess

    done = subprocess.run([sys.executable, "-c", "import pandas; print(len(pandas.DataFrame()))"], capture_output=True)
    return "fine" if done.stdout == b"0\n" else done.stderr.decode()


def uses_tempfile():
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a").write_text("x")
    return "fine"


def touches_files():
    import shutil
    from pathlib import Path

    for _ in range(2):
        Path("touched").touch()
    shutil.copy2("touched", "copied")
    os.utime("copied", (1, 1))
    return "fine" if Path("touched").is_file() and Path("copied").is_file() else "no"


def uses_tmp_by_its_usual_name():
    with open("/tmp/by_its_usual_name", "w") as out:
        out.write("x")
    return "fine"


def uses_sqlite():
    import sqlite3

    link = sqlite3.connect("scratch.db")
    link.execute("create table t (a)")
    link.execute("insert into t values (1)")
    link.commit()
    return "fine" if link.execute("select a from t").fetchone() == (1,) else "no"


def uses_a_loopback_server():
    import http.server
    import threading
    import urllib.request

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    status = urllib.request.urlopen(f"http://localhost:{server.server_port}/").status
    server.shutdown()
    return "fine" if status == 200 else "no"


def uses_joblib():
    from joblib import Parallel, delayed

    return "fine" if Parallel(n_jobs=2)(delayed(square)(n) for n in range(4)) == [0, 1, 4, 9] else "no"


def asks_who_it_is():
    import getpass
    import pwd

    return "fine" if getpass.getuser() == pwd.getpwuid(os.getuid()).pw_name == "candidate" else "no"


def sorts_by_locale():
    import locale

    locale.setlocale(locale.LC_ALL, "")
    return "fine" if "é".encode() == b"\xc3\xa9" and sys.getfilesystemencoding() == "utf-8" else "no"


def fits_a_model():
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    values = np.linspace(0, 1, 50).reshape(-1, 1)
    return "fine" if LogisticRegression().fit(values, values[:, 0] > 0.5).score(values, values[:, 0] > 0.5) > 0.9 else "no"


def writes_and_reads_frames():
    import pandas as pd

    pd.DataFrame({"a": ["x", "y"]}).to_csv("f.csv", index=False)
    return "fine" if list(pd.read_csv("f.csv")["a"]) == ["x", "y"] else "no"


def imports_its_own_package():
    from helpers.words import word

    return word()


def reads_its_own_files():
    from pathlib import Path

    return "fine" if "reads_its_own_files" in Path(__file__).read_text() else "no"


def writes_to_stderr():
    for _ in range(5000):
        print("x" * 100, file=sys.stderr)
    return "fine"


def holds_a_working_set():
    block = bytearray(os.urandom(2**20) * 700)
    return "fine" if len(block) == 700 * 2**20 else "no"


def leaves_with_exit_defined():
    return "fine" if callable(exit) and callable(quit) else "no"


def gets_random_numbers():
    import secrets

    return "fine" if len(secrets.token_hex(16)) == 32 else "no"


HONEST = sorted(name for name, value in list(globals().items()) if callable(value) and "_" in name)
