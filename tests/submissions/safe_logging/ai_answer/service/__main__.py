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
    logs.configure(given.log_dir / "app.ndjson", given.level)
    try:
        given.log_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        # The service goes on; without an audit log it answers 503 where patients are concerned.
        logs.console(f"ERROR the log folder cannot be made: {type(error).__name__}")
    app = make_app(given.log_dir / "audit.ndjson")
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=given.port,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
