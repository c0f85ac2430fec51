"""Run the service: python -m service --port P --log-dir L --level INFO|DEBUG."""

import argparse
from pathlib import Path

import uvicorn

from . import journal
from .app import make_app


def main():
    parser = argparse.ArgumentParser(prog="service", description="Readmission risk over HTTP.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log-dir", type=Path, required=True)
    parser.add_argument("--level", choices=("INFO", "DEBUG"), default="INFO")
    given = parser.parse_args()
    journal.open_at(given.log_dir / "app.ndjson", given.level)
    app = make_app(given.log_dir / "audit.ndjson")
    # log_config: what uvicorn would set up prints to the console, past us.
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_config=None, access_log=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
