"""Servers in the sandbox: their environment, the services they talk to, how they are ended, and what is taken up."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from each_tier import TIERS

from graders.harness import sandbox
from graders.harness.play import frame_of
from synthetic_data.scene import OUT_DIR, Request

pytestmark = pytest.mark.sandbox

LIMITS = sandbox.Limits(wall_s=20, cpu_s=20, mem_mb=400, procs=64, out_mb=2, out_files=20)
SERVER = """
import json, os, pathlib, signal, socket, sys, threading, time, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

out = pathlib.Path(os.environ["OUT"])
here, most, lock = 0, 0, threading.Lock()

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        global here, most
        with lock:
            here += 1
            most = max(most, here)
        code, text = 200, ""
        if self.path == "/env":
            text = json.dumps(dict(os.environ))
        elif self.path.startswith("/lab"):
            try:
                text = urllib.request.urlopen(os.environ["LAB"] + self.path[4:]).read().decode()
            except urllib.error.HTTPError as error:
                text = str(error.code)
        elif self.path.startswith("/reach/"):
            try:
                socket.create_connection(("127.0.0.1", int(self.path[7:])), 1).close()
                text = "reached"
            except OSError:
                text = "refused"
        elif self.path == "/listen":
            try:
                with socket.socket() as other:
                    other.bind(("127.0.0.1", 0))
                text = "bound"
            except OSError:
                text = "refused"
        elif self.path == "/wait":
            time.sleep(.3)
        elif self.path == "/most":
            text = str(most)
        elif self.path == "/print":
            print("x" * 300_000, flush=True)
            print("oops", file=sys.stderr, flush=True)
        elif self.path == "/file":
            pathlib.Path(os.environ["HOME"], "left/over").mkdir(parents=True)
            pathlib.Path(os.environ["HOME"], "left/over/name.txt").write_text("kept")
        with lock:
            here -= 1
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        body = data.hex().encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

def leave(*_):
    (out / "farewell.txt").write_text("bye")
    os._exit(0)

if os.environ.get("DEAF"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, leave)
with (out / "starts.txt").open("a") as file:
    file.write("start\\n")
ThreadingHTTPServer.request_queue_size = 64
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture(params=TIERS)
def pipe(tmp_path: Path, request: pytest.FixtureRequest):
    folder = tmp_path / "work"
    (folder / "service").mkdir(parents=True)
    (folder / "service/__main__.py").write_text(SERVER)
    for path in (tmp_path, folder, *folder.rglob("*")):
        path.chmod(0o755)
    program = sandbox.Program("serve", "service/", "service", [r"[a-z]*\.txt", "@printed", r"@home/(?:[^/]+/)*[^/]*"])
    with sandbox.open_pipe(TIERS[request.param], sandbox.Mounts(folder), LIMITS, program) as opened:
        yield opened


def ask(pipe: Any, request: Request) -> tuple[Any, dict[str, bytes]]:
    header, files = pipe.ask(frame_of(request), {})
    assert header["status"] == "ok", header
    return header["value"], files


def start(pipe: Any, **changes: Any) -> dict[str, bytes]:
    given: dict[str, Any] = {"env": {"OUT": OUT_DIR, "LAB": "@lab/v1"}, "peers": {"@lab": []}} | changes
    return ask(pipe, Request("restart", args=("@port",), **given))[1]


def get(pipe: Any, *paths: str, **keys: Any) -> list[Any]:
    requests = tuple({"method": "GET", "path": path, **keys} for path in paths)
    return ask(pipe, Request("http", requests=requests))[0]


def test_a_server_gets_the_environment_and_nothing_else_of_ours(pipe):
    start(pipe, env={"OUT": f"{OUT_DIR}/", "LAB": "@lab", "KEY": "k/@out"})
    found = json.loads(get(pipe, "/env")[0]["body"])
    assert found["KEY"] == "k/@out"
    assert found["LAB"].startswith("http://127.0.0.1:")
    assert found["OUT"].endswith("/out/")
    assert {"SECRET", "LOGNAME", "PWD", "OLDPWD"}.isdisjoint(found)
    assert len(set(found) - {"LC_CTYPE", "OUT", "LAB", "KEY"}) == 9


def test_peers_answer_by_their_rules_and_remember_what_they_were_asked(pipe):
    rules = [
        {"path": "/v1/one", "replies": [{"status": 503}, {"status": 200, "body": "late"}]},
        {"path": "/v1/.*", "replies": [{"status": 200, "body": "any"}]},
    ]
    start(pipe, peers={"@lab": rules})
    said = [answer["body"] for answer in get(pipe, "/lab/one", "/lab/one", "/lab/one", "/lab/two?x=1")]
    assert said == ["503", "late", "late", "any"]
    calls, _ = ask(pipe, Request("peers"))
    assert [call["path"] for call in calls["@lab"]] == ["/v1/one"] * 3 + ["/v1/two?x=1"]
    # What they were asked outlives a restart, and so do they.
    start(pipe, peers={})
    assert get(pipe, "/lab/other")[0]["body"] == "any"
    assert len(ask(pipe, Request("peers"))[0]["@lab"]) == 5


def test_what_no_rule_matches_is_not_found(pipe):
    start(pipe)
    assert get(pipe, "/lab/one")[0]["body"] == "404"


def test_a_server_reaches_no_service_of_the_machine(pipe):
    start(pipe)
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert get(pipe, f"/reach/{other.getsockname()[1]}")[0]["body"] == "refused"
    # A port of its own choice is the namespace's own in tier A, and the machine's in tier B.
    assert get(pipe, "/listen")[0]["body"] == ("bound" if pipe.tier.name == "A" else "refused")


def test_requests_of_one_group_are_sent_at_once_and_others_in_turn(pipe):
    start(pipe)
    get(pipe, "/wait", "/wait")
    assert get(pipe, "/most")[0]["body"] == "1"
    get(pipe, *["/wait"] * 5, group=1)
    assert int(get(pipe, "/most")[0]["body"]) == 5


def test_answers_keep_the_order_of_the_requests(pipe):
    start(pipe)
    requests = [{"method": "POST", "path": "/", "body": str(n), "group": n // 2} for n in range(6)]
    answers, _ = ask(pipe, Request("http", requests=tuple(requests)))
    assert [bytes.fromhex(a["body"]).decode() for a in answers] == list("012345")


def test_bytes_that_are_no_text_are_sent_as_they_are(pipe):
    start(pipe)
    requests = ({"method": "POST", "path": "/", "body64": "/w=="},)
    assert ask(pipe, Request("http", requests=requests))[0][0]["body"] == "ff"


def test_a_client_that_hangs_up_says_so(pipe):
    start(pipe)
    assert get(pipe, "/wait", hang_up_s=0.05) == [{"error": "hung up"}]
    assert get(pipe, "/most")[0]["status"] == 200


def test_what_a_server_prints_is_taken_up_and_does_not_stop_it(pipe):
    start(pipe)
    _, files = ask(pipe, Request("http", requests=({"method": "GET", "path": "/print"},)))
    assert b"x" * 300_000 in files["@printed"]
    assert b"oops" in start(pipe, keep_out=True)["@printed"]
    assert start(pipe)["@printed"] == b""


def test_a_server_that_prints_more_than_can_be_taken_up_is_refused(pipe):
    start(pipe)
    frame = frame_of(Request("http", requests=({"method": "GET", "path": "/print"},)))
    ended = [pipe.ask(frame, {})[0] for _ in range(9)]
    assert [header["status"] for header in ended[:5]] == ["ok"] * 5
    assert ended[-1]["status"] == "refused"
    assert ended[-1]["value"]["why"] == f"printed more than {LIMITS.out_mb} MB"


def test_files_left_in_its_home_are_taken_up_by_their_names(pipe):
    start(pipe)
    _, files = ask(pipe, Request("http", requests=({"method": "GET", "path": "/file"},)))
    assert files["@home/left/over/name.txt"] == b"kept"


def test_a_step_may_leave_files_where_they_are(pipe):
    start(pipe)
    requests = ({"method": "GET", "path": "/file"},)
    assert ask(pipe, Request("http", requests=requests, collect=False))[1] == {}


@pytest.mark.parametrize(("grace_s", "said"), [(0, False), (5, True)])
def test_with_grace_a_server_may_say_goodbye(pipe, grace_s, said):
    start(pipe)
    _, files = ask(pipe, Request("stop", grace_s=grace_s))
    assert ("farewell.txt" in files) == said
    files = start(pipe, keep_out=True)
    assert files["starts.txt"] == b"start\n" * 2
    assert start(pipe)["starts.txt"] == b"start\n"


def test_one_that_does_not_listen_is_ended_all_the_same(pipe):
    start(pipe, env={"OUT": OUT_DIR, "DEAF": "1"})
    _, files = ask(pipe, Request("stop", grace_s=0.3))
    assert "farewell.txt" not in files
    assert get(pipe, "/most") == [{"error": "ConnectionRefusedError"}]
