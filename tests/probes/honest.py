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


def uses_multiprocessing_forkserver():
    import multiprocessing

    # The default from Python 3.14.
    with multiprocessing.get_context("forkserver").Pool(2) as pool:
        return "fine" if pool.map(square, range(5)) == [0, 1, 4, 9, 16] else "no"


def add_up(total, numbers):
    for number in numbers:
        with total.get_lock():
            total.value += number


def shares_a_number_between_processes():
    import multiprocessing

    context = multiprocessing.get_context("fork")
    total = context.Value("i", 0)
    workers = [context.Process(target=add_up, args=(total, range(100))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return "fine" if total.value == 9900 else "no"


def shares_objects_through_a_manager():
    import multiprocessing

    with multiprocessing.get_context("fork").Manager() as manager:
        shared = manager.dict(a=1)
        shared["b"] = 2
        return "fine" if dict(shared) == {"a": 1, "b": 2} else "no"


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


def holds_a_working_set_of_1_2_gb():
    block = bytearray(1200 * 2**20)
    block[::4096] = b"x" * (len(block) // 4096)  # each page once, so that the kernel has to give it
    return "fine" if block.count(b"x") == 1200 * 256 else "no"


def leaves_with_exit_defined():
    return "fine" if callable(exit) and callable(quit) else "no"


def gets_random_numbers():
    import secrets

    return "fine" if len(secrets.token_hex(16)) == 32 else "no"


def finds_its_user_name():
    import getpass

    return "fine" if getpass.getuser() == "candidate" else "no"


def looks_itself_up_in_passwd():
    import pwd

    return "fine" if pwd.getpwuid(os.getuid()).pw_name == "candidate" else "no"


def finds_its_home():
    from pathlib import Path

    note = Path("~/note.txt").expanduser()
    note.write_text("x")
    return "fine" if note.parent == Path.home() and note.read_text() == "x" else "no"


def draws_with_matplotlib():
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 3], [3, 1, 2], label="a")
    axes.legend()
    figure.savefig("plot.png")
    with open("plot.png", "rb") as file:
        return "fine" if file.read(8) == b"\x89PNG\r\n\x1a\n" else "no"


def validates_fhir_resources():
    from fhir.resources.R4B.patient import Patient

    patient = Patient.model_validate({"resourceType": "Patient", "id": "p", "birthDate": "1950-02-03"})
    return "fine" if '"birthDate":"1950-02-03"' in patient.model_dump_json().replace(" ", "") else "no"


def checks_models_with_pydantic():
    from dataclasses import asdict, dataclass

    import pydantic

    @dataclass
    class Row:
        name: str
        value: float

    class Checked(pydantic.BaseModel):
        name: str
        value: float

    return "fine" if Checked(**asdict(Row("a", 1))).model_dump() == {"name": "a", "value": 1.0} else "no"


def optimises_with_scipy():
    from scipy import optimize

    return "fine" if abs(optimize.minimize(lambda x: (x[0] - 3) ** 2, [0.0]).x[0] - 3) < 1e-4 else "no"


def fits_with_statsmodels():
    import numpy as np
    from statsmodels.regression.linear_model import OLS

    x = np.arange(10.0)
    return "fine" if abs(OLS(2 * x, x[:, None]).fit().params[0] - 2) < 1e-9 else "no"


def multiplies_with_all_threads():
    import numpy as np

    a = np.ones((1200, 1200))
    return "fine" if (a @ a)[0, 0] == 1200 else "no"


def matches_with_regex_and_rapidfuzz():
    import rapidfuzz
    import regex

    fuzzy = regex.search(r"(?:smith){e<=1}", "jane smyth")
    return "fine" if fuzzy and rapidfuzz.fuzz.ratio("smith", "smyth") > 70 else "no"


def packs_and_unpacks_archives():
    import gzip
    import lzma
    import tarfile
    import zipfile

    with gzip.open("a.gz", "wt") as out:
        out.write("x")
    with lzma.open("a.xz", "wt") as out:
        out.write("x")
    with zipfile.ZipFile("a.zip", "w", zipfile.ZIP_DEFLATED) as out:
        out.write("a.gz")
    with tarfile.open("a.tar", "w") as out:
        out.add("a.xz")
    os.mkdir("unpacked")
    zipfile.ZipFile("a.zip").extractall("unpacked")
    with tarfile.open("a.tar") as archive:
        archive.extractall("unpacked")
    with gzip.open("unpacked/a.gz", "rt") as first, lzma.open("unpacked/a.xz", "rt") as second:
        return "fine" if first.read() == second.read() == "x" else "no"


def knows_time_zones():
    from datetime import datetime
    from zoneinfo import ZoneInfo

    winter = datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    return "fine" if winter.utcoffset().total_seconds() == 3600 else "no"


def counts_exactly():
    from decimal import Decimal, localcontext
    from fractions import Fraction
    from statistics import NormalDist, median

    with localcontext() as context:
        context.prec = 50
        third = Decimal(1) / 3
    right = len(str(third)) == 52 and Fraction(1, 3) * 3 == 1 and median([1, 3, 2]) == 2
    return "fine" if right and abs(NormalDist().inv_cdf(0.975) - 1.96) < 0.001 else "no"


def writes_and_reads_csv():
    import csv

    with open("rows.csv", "w", newline="") as out:
        csv.DictWriter(out, ["a", "b"]).writerows([{"a": "x,y", "b": 'q"'}, {"a": "é", "b": "\n"}])
    with open("rows.csv", newline="") as rows:
        return "fine" if list(csv.reader(rows)) == [["x,y", 'q"'], ["é", "\n"]] else "no"


def logs_into_rotating_files():
    import logging.handlers

    handler = logging.handlers.RotatingFileHandler("run.log", maxBytes=500, backupCount=2)
    log = logging.getLogger("honest")
    log.addHandler(handler)
    for n in range(100):
        log.warning("line %d of a log", n)
    handler.close()
    return "fine" if os.path.exists("run.log.2") else "no"


def maps_its_own_file():
    import mmap

    with open("mapped", "wb") as out:
        out.truncate(2**20)
    with open("mapped", "r+b") as file, mmap.mmap(file.fileno(), 0) as block:
        block[1000:1003] = b"abc"
        block.flush()
    with open("mapped", "rb") as file:
        return "fine" if file.read()[1000:1003] == b"abc" else "no"


def shares_memory_that_has_no_file():
    import mmap

    return "fine" if len(mmap.mmap(-1, 4096)) == 4096 else "no"


def reads_here_and_there_in_a_big_file():
    import numpy as np

    table = np.memmap("table", dtype="float64", mode="w+", shape=(2_000_000,))
    table[1_999_999] = 7
    table.flush()
    with open("table", "rb") as file:
        file.seek(-8, os.SEEK_END)
        return "fine" if np.frombuffer(file.read(8))[0] == 7 == table[-1] else "no"


def counts_its_processors():
    import multiprocessing

    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, mine)
    return "fine" if 0 < len(mine) <= os.cpu_count() == multiprocessing.cpu_count() else "no"


def sets_an_alarm():
    import signal
    import time

    class Late(Exception):
        pass

    def ring(*_):
        raise Late

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        time.sleep(5)
    except Late:
        return "fine"
    return "no"


def signals_its_own_children():
    import signal
    import subprocess

    child = subprocess.Popen(["sleep", "30"])
    child.terminate()
    return "fine" if child.wait(5) == -signal.SIGTERM else "no"


def starts_a_session_of_its_own():
    import subprocess

    done = subprocess.run(["echo", "a"], capture_output=True, start_new_session=True)
    return "fine" if done.stdout == b"a\n" else "no"


def locks_a_file():
    import fcntl

    with open("lock", "w") as first, open("lock", "w") as second:
        fcntl.flock(first, fcntl.LOCK_EX)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "fine"
    return "no"


def selects_on_pipes():
    import select
    import selectors

    out, into = os.pipe()
    os.write(into, b"x")
    with selectors.DefaultSelector() as selector:
        selector.register(out, selectors.EVENT_READ)
        seen = len(selector.select(1))
    ready, _, _ = select.select([out], [], [], 1)
    return "fine" if seen == 1 and ready == [out] and os.read(out, 1) == b"x" else "no"


def keeps_contexts_apart():
    import asyncio
    import contextvars

    who = contextvars.ContextVar("who")

    async def work(name):
        who.set(name)
        await asyncio.sleep(0)
        return who.get()

    async def both():
        return await asyncio.gather(work("a"), work("b"))

    return "fine" if asyncio.run(both()) == ["a", "b"] else "no"


def looks_at_itself():
    import faulthandler
    import resource
    import tracemalloc
    import warnings

    tracemalloc.start()
    block = list(range(10000))
    now, most = tracemalloc.get_traced_memory()
    with open("trace", "w") as out:
        faulthandler.dump_traceback(out)
        faulthandler.enable(out)
        faulthandler.disable()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("careful", stacklevel=1)
    right = len(block) == 10000 and 0 < now <= most and len(caught) == 1 and os.path.getsize("trace")
    return "fine" if right and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0 else "no"


def reads_resources_of_its_package():
    from importlib import resources

    return "fine" if "FINE" in (resources.files("helpers") / "more.py").read_text() else "no"


def copies_and_moves_folders():
    import shutil
    from pathlib import Path

    Path("tree/deep").mkdir(parents=True)
    Path("tree/deep/a.txt").write_text("x")
    Path("tree/link").symlink_to("deep/a.txt")
    shutil.copytree("tree", "copy", symlinks=True)
    shutil.copy2("tree/deep/a.txt", "copy/b.txt")
    shutil.move("copy/b.txt", "tree/b.txt")
    Path("tree/b.txt").rename("tree/deep/c.txt").replace("copy/deep/a.txt")
    os.link("tree/deep/a.txt", "hard")
    found = sorted(str(path) for path in Path().rglob("*.txt"))
    shutil.rmtree("copy")
    return "fine" if found == ["copy/deep/a.txt", "tree/deep/a.txt"] and Path("hard").read_text() == "x" else str(found)


def makes_a_file_executable():
    import subprocess

    with open("tool.sh", "w") as out:
        out.write("#!/bin/sh\necho ran\n")
    os.chmod("tool.sh", 0o755)
    return "fine" if subprocess.run(["./tool.sh"], capture_output=True).stdout == b"ran\n" else "no"


def sets_the_time_of_a_file():
    open("old", "w").close()
    os.utime("old", (1_000_000_000, 1_000_000_000))
    return "fine" if os.stat("old").st_mtime == 1_000_000_000 else "no"


def names_files_in_unicode():
    from pathlib import Path

    names = ["Müller–Lüdenscheidt.txt", "患者.csv", "🩺.json", "with blank"]
    for name in names:
        Path(name).write_text(name)
    return "fine" if sorted(names) == sorted(p.name for p in Path().iterdir() if p.read_text() == p.name) else "no"


def passes_bytes_through_a_pipe():
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(into, b"from the child")
        os._exit(7)
    os.close(into)
    with os.fdopen(out, "rb") as file:
        said = file.read()
    return "fine" if said == b"from the child" and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7 else "no"


def pipes_through_the_shell():
    import subprocess

    done = subprocess.run("sort | uniq -c | wc -l", shell=True, input=b"b\na\nb\n", capture_output=True)
    return "fine" if done.stdout.strip() == b"2" else done.stderr.decode()


def uses_a_pool_of_processes():
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        return "fine" if list(pool.map(square, range(4))) == [0, 1, 4, 9] else "no"


def passes_work_between_threads():
    import queue
    import threading

    todo, done, lock, total = queue.Queue(5), threading.Event(), threading.Lock(), [0]

    def work():
        while (item := todo.get()) is not None:
            with lock:
                total[0] += item
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    for item in [*range(100), None]:
        todo.put(item)
    thread.join()
    return "fine" if done.wait(1) and total == [4950] else "no"


def uses_sqlite_with_a_journal():
    import sqlite3

    first = sqlite3.connect("wal.db")
    mode = first.execute("pragma journal_mode=wal").fetchone()
    first.execute("create table t (a)")
    first.execute("insert into t values (1)")
    first.commit()
    second = sqlite3.connect("wal.db")
    memory = sqlite3.connect(":memory:")
    memory.execute("create virtual table notes using fts5(text)")
    return "fine" if mode == ("wal",) and second.execute("select a from t").fetchone() == (1,) else "no"


def measures_time():
    import time

    clocks = (time.perf_counter, time.monotonic, time.time)
    before = [clock() for clock in clocks]
    used = time.process_time()
    time.sleep(0.05)
    passed = [clock() - start for clock, start in zip(clocks, before)]
    return "fine" if all(0.04 < p < 5 for p in passed) and time.process_time() - used < 5 else "no"


def digests_and_signs():
    import hashlib
    import hmac
    import uuid

    digest = hashlib.sha256(b"x").hexdigest()
    signed = hmac.new(b"key", b"x", "sha512").hexdigest()
    derived = hashlib.pbkdf2_hmac("sha256", b"x", b"salt", 10)
    right = digest[:8] == "2d711642" and len(signed) == 128 and len(derived) == 32
    return "fine" if right and len({uuid.uuid1(), uuid.uuid4(), uuid.uuid5(uuid.NAMESPACE_DNS, "a")}) == 3 else "no"


def makes_an_ssl_context():
    import ssl

    return "fine" if ssl.create_default_context().check_hostname else "no"


def talks_over_a_pair_of_sockets():
    import socket

    left, right = socket.socketpair()
    left.sendall(b"x")
    return "fine" if right.recv(1) == b"x" else "no"


def serves_itself_with_asyncio():
    import asyncio

    async def answer(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def talk():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        line = await reader.readline()
        writer.close()
        server.close()
        return line

    return "fine" if asyncio.run(talk()) == b"hello\n" else "no"


def talks_over_a_socket_with_a_path():
    import socket

    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("talk.sock")
        server.listen()
        client.connect("talk.sock")
        server.accept()[0].sendall(b"x")
        return "fine" if client.recv(1) == b"x" else "no"


def makes_temporary_files():
    import tempfile

    handle, path = tempfile.mkstemp()
    os.close(handle)
    with tempfile.SpooledTemporaryFile(10) as spooled, tempfile.TemporaryFile("w+") as nameless:
        spooled.write(b"x" * 100)
        nameless.write("x")
    with tempfile.NamedTemporaryFile("w+") as named:
        named.write("x")
        named.flush()
        with open(named.name) as again:
            return "fine" if again.read() == "x" and os.path.dirname(path) == tempfile.gettempdir() else "no"


def calls_c_with_callbacks():
    import ctypes

    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 4)(3, 1, 2, 0)
    ctypes.CDLL(None).qsort(numbers, 4, ctypes.sizeof(ctypes.c_int), compare(lambda a, b: a[0] - b[0]))
    return "fine" if list(numbers) == [0, 1, 2, 3] else "no"


def asks_about_the_machine():
    import platform
    import shutil
    import socket
    import sysconfig

    right = platform.system() == "Linux" and platform.platform() and socket.gethostname() and os.uname().release
    return "fine" if right and shutil.disk_usage(".").free > 0 and os.getloadavg() and sysconfig.get_paths() else "no"


def reads_an_empty_standard_input():
    return "fine" if sys.stdin.read() == "" else "no"


def recurses_deeply():
    import threading

    found = []

    def depth(n):
        return n if n == 0 else 1 + depth(n - 1)

    sys.setrecursionlimit(30_000)
    threading.stack_size(64 * 2**20)
    thread = threading.Thread(target=lambda: found.append(depth(20_000)))
    thread.start()
    thread.join()
    return "fine" if found == [20_000] else "no"


def keeps_objects_on_disk():
    import pickle
    import shelve

    with shelve.open("shelf") as shelf:
        shelf["a"] = {"b": [1, 2]}
    with open("object", "wb") as out:
        pickle.dump(frozenset([1]), out)
    with shelve.open("shelf") as shelf, open("object", "rb") as file:
        return "fine" if shelf["a"] == {"b": [1, 2]} and pickle.load(file) == {1} else "no"


def writes_and_reads_parquet():
    import pandas as pd

    pd.DataFrame({"a": ["x", "y"], "b": [1.0, None]}).to_parquet("f.parquet")
    return "fine" if list(pd.read_parquet("f.parquet")["a"]) == ["x", "y"] else "no"


def fits_a_forest_in_parallel():
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    values = np.linspace(0, 1, 100).reshape(-1, 1)
    forest = RandomForestClassifier(20, n_jobs=2, random_state=0).fit(values, values[:, 0] > 0.5)
    return "fine" if forest.score(values, values[:, 0] > 0.5) > 0.9 else "no"


# Those without an argument; the others help.
HONEST = sorted(
    name for name, value in list(globals().items()) if callable(value) and not value.__code__.co_argcount
)
