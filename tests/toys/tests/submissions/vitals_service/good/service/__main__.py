import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
parser.add_argument("--log-dir", type=Path)
options = parser.parse_args()
latest = {}


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, value=None):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        patient = parse_qs(urlsplit(self.path).query).get("patient", [""])[0]
        self.answer(*((200, {"value": latest[patient]}) if patient in latest else (404, {})))

    def do_POST(self):
        reading = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        latest[reading["patient"]] = reading["value"]
        self.answer(201, {})

    def log_message(self, format, *args):
        with (options.log_dir / "access.log").open("a") as log:
            log.write(f"{self.command} {self.path.split('?')[0]}\n")


ThreadingHTTPServer(("127.0.0.1", options.port), Handler).serve_forever()
