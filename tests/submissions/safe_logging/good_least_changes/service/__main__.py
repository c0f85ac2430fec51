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
    parser.add_argument("--level", choices=("INFO", "DEBUG"), default="INFO")
    given = parser.parse_args()
    try:
        given.log_dir.mkdir(parents=True, exist_ok=True)
    except OSError:
        pass  # The service goes on; without an audit log it gives out no patient data.
    logs.configure(given.log_dir / "app.ndjson", given.level)
    app = make_app(given.log_dir)
    # No logging of uvicorn's own. Two seconds are enough for three calls of the laboratory.
    quiet = {"log_config": None, "access_log": False}
    uvicorn.run(app, host="127.0.0.1", port=given.port, timeout_graceful_shutdown=2, **quiet)


if __name__ == "__main__":
    main()
