"""Logging: a JSON line a record in app.ndjson; warnings and errors on the console as well."""

import json
import logging
from datetime import UTC, datetime

log = logging.getLogger("service")

# What is known of the request in hand.
current = {"request_id": None}


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record):
        fields = getattr(record, "fields", {})
        line = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": current["request_id"],
            "message": record.getMessage(),
            **fields,
        }
        if record.exc_info:
            line["where"] = f"{record.filename}:{record.lineno}"
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class AppendHandler(logging.Handler):
    """Opens the file for each line, so that it can be rotated from outside."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.setFormatter(JsonFormatter())

    def emit(self, record):
        try:
            line = self.format(record)
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
        except Exception:
            self.handleError(record)


def configure(path, level):
    """Send everything at `level` and above to `path`."""
    console = logging.StreamHandler()
    console.setLevel(logging.WARNING)
    console.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.setLevel(level)
    root.handlers = [AppendHandler(path), console]


def event(name, message="", **fields):
    """Log one event of schema.EVENTS."""
    log.info(message or name, extra={"fields": {"event": name, **fields}})
