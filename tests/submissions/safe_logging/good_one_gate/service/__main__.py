"""Run the service: python -m service --port P --log-dir L --level INFO|DEBUG."""

import argparse
from pathlib import Path

import uvicorn

from . import logs
from .app import make_app


def main():
    parser = argparse.ArgumentParser(prog="service", description="Readmission risk over HTTP.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log-dir", type=Path, required=True)
    parser.add_argument("--level", choices=("INFO", "DEBUG"), default="INFO", help="both write the same: see DECISIONS.md")
    given = parser.parse_args()
    logs.configure(given.log_dir / "app.ndjson")
    try:
        given.log_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        logs.console(f"no log folder: {type(error).__name__}")
    app = make_app(given.log_dir / "audit.ndjson")
    # uvicorn gets no handlers of its own: what it has to say of errors ends in logs.LibraryHandler.
    uvicorn.run(
        app, host="127.0.0.1", port=given.port, log_config=None, access_log=False, timeout_graceful_shutdown=1
    )


if __name__ == "__main__":
    main()
