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
    except OSError as error:
        # The service goes on; what needs the audit log answers 503.
        logs.console(f"the log folder cannot be made ({type(error).__name__})")
    logs.configure(given.log_dir / "app.ndjson")
    app = make_app(given.log_dir)
    # Whatever the level: uvicorn writes nothing of its own, and DEBUG opens no other tap.
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=given.port,
        log_config=None,
        log_level="error",
        access_log=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
