"""Run the service: python -m service --port P --log-dir L --level INFO|DEBUG."""

import argparse
from pathlib import Path

import uvicorn

from . import hooks, logs
from .app import make_app


def main():
    parser = argparse.ArgumentParser(prog="service", description="Readmission risk over HTTP.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log-dir", type=Path, required=True)
    parser.add_argument("--level", choices=("INFO", "DEBUG"), default="INFO")
    given = parser.parse_args()
    hooks.install()
    logs.configure(given.log_dir / "app.ndjson", given.level)
    try:
        given.log_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        logs.say(f"the log folder cannot be made: {type(error).__name__}")
    uvicorn.run(
        make_app(given.log_dir),
        host="127.0.0.1",
        port=given.port,
        log_config=None,
        log_level="error",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
