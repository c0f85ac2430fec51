"""Run the service: python -m service --port P --log-dir L --level INFO|DEBUG."""

import argparse
import contextlib
from pathlib import Path

import uvicorn

from .app import make_app
from .journal import close_console, writer

# Whatever a library logs, at whatever level, goes nowhere. (Without a handler, warnings would be printed.)
NOWHERE = {
    "version": 1,
    "disable_existing_loggers": True,
    "handlers": {"nowhere": {"class": "logging.NullHandler"}},
    "root": {"handlers": ["nowhere"], "level": "CRITICAL"},
}


def main():
    parser = argparse.ArgumentParser(prog="service", description="Readmission risk over HTTP.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log-dir", type=Path, required=True)
    parser.add_argument("--level", choices=("INFO", "DEBUG"), default="INFO")
    given = parser.parse_args()
    with contextlib.suppress(OSError):
        given.log_dir.mkdir(parents=True, exist_ok=True)
    write = writer(given.log_dir / "app.ndjson", given.level)
    close_console(write)
    app = make_app(write, given.log_dir / "audit.ndjson")
    uvicorn.run(
        app, host="127.0.0.1", port=given.port, log_config=NOWHERE, access_log=False, timeout_graceful_shutdown=1
    )


if __name__ == "__main__":
    main()
