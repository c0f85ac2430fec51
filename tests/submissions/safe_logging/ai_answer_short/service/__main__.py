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
    parser.add_argument("--level", choices=("INFO", "DEBUG"), default="INFO", help="both write the same lines")
    given = parser.parse_args()
    with contextlib.suppress(OSError):
        given.log_dir.mkdir(parents=True, exist_ok=True)
    logs.configure(given.log_dir / "app.ndjson")
    app = make_app(given.log_dir)
    quiet = {"log_config": None, "log_level": "critical", "access_log": False, "ws": "none"}
    uvicorn.run(app, host="127.0.0.1", port=given.port, timeout_graceful_shutdown=1, **quiet)


if __name__ == "__main__":
    main()
