"""Run the service: python -m service --port P --log-dir L --level INFO|DEBUG."""

import argparse
import contextlib
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
    with contextlib.suppress(OSError):  # the service goes on without; what needs the audit log answers 503
        given.log_dir.mkdir(parents=True, exist_ok=True)
    logs.configure(given.log_dir / "app.ndjson", given.level)
    app = make_app(given.log_dir)
    # Neither uvicorn's handlers nor its access log, which has the query.
    options = {"log_config": None, "access_log": False, "timeout_graceful_shutdown": 1}
    uvicorn.run(app, host="127.0.0.1", port=given.port, **options)


if __name__ == "__main__":
    main()
