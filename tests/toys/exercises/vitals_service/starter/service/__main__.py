"""Starter: answers 404 to everything and logs the whole request line."""

import argparse
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
parser.add_argument("--log-dir", type=Path)
options = parser.parse_args()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404)
        self.end_headers()

    do_POST = do_GET

    def log_message(self, format, *args):
        with (options.log_dir / "access.log").open("a") as log:
            log.write(format % args + "\n")


HTTPServer(("127.0.0.1", options.port), Handler).serve_forever()
