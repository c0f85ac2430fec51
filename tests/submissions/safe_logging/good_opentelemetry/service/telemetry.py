"""Spans of what the service does, and the exporter that makes lines of app.ndjson of them.

A span or an event of a span becomes a line if its name is one of schema.EVENTS. Of its attributes those in ATTRIBUTES
are written, and only with values that have the form they should have; whatever else a span holds stays in memory.
"""

import asyncio
import json
import logging
import re
import sys
import threading
import warnings
from datetime import UTC, datetime
from pathlib import Path

from opentelemetry import context, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind

from .problems import Problem
from .schema import EVENTS

HERE = Path(__file__).parent
REQUEST_ID = re.compile(r"[0-9a-f]{32}")
SITES = ("north", "south", "east", "west")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def like(pattern):
    form = re.compile(pattern)
    return lambda value: isinstance(value, str) and form.fullmatch(value)


# Attribute of a span or of an event -> field of the log, and the values it may have.
ATTRIBUTES = {
    "log.level": ("level", LEVELS.__contains__),
    "app.request_id": ("request_id", like(REQUEST_ID.pattern)),
    "app.site": ("site", SITES.__contains__),
    "app.patient_ref": ("patient_ref", like("[0-9a-f]{16}")),
    "app.model_version": ("model_version", like(r"[a-z]+-[0-9.]+")),
    "app.error_code": ("error_code", like("[a-z_]{1,40}")),
    "http.route": ("route", like(r"unmatched|/[a-z]*(/\{id\})?")),
    "http.response.status_code": ("status", lambda value: type(value) is int and 100 <= value <= 599),
    "peer.service": ("upstream", ("lab", "anchor").__contains__),
    "app.attempt": ("attempt", lambda value: type(value) is int),
    "error.type": ("error_class", like("[A-Za-z_][A-Za-z_0-9]{0,79}")),
    "code.where": ("where", like(r"[a-z_]+\.py:[0-9]+")),
}
TIMED = ("request", "upstream")

# No environment variable decides what is sampled, cut off or sent anywhere.
provider = TracerProvider(
    sampler=ALWAYS_ON, resource=Resource({}), span_limits=SpanLimits(max_events=64), shutdown_on_exit=False
)
tracer = provider.get_tracer("service")


def span(name, kind=SpanKind.INTERNAL, within=None, **attributes):
    """A span that is the current one inside `with`. Exceptions are not recorded: their texts are the input's."""
    return tracer.start_as_current_span(
        name, within, kind, known(attributes), record_exception=False, set_status_on_exception=False
    )


def known(attributes):
    """Attributes by OpenTelemetry's names; those that are None are left out."""
    return {name.replace("__", "."): value for name, value in attributes.items() if value is not None}


def note(**attributes):
    """Say more of the current span: app__site="north"."""
    trace.get_current_span().set_attributes(known(attributes))


def mark(name, **attributes):
    """An event of the current span, which becomes a line when the span ends."""
    trace.get_current_span().add_event(name, known(attributes))


def failed(code, error, level="ERROR"):
    """Mark that this exception ended what the current span is about: its class and place, never its text."""
    kind, where = cause_and_place(error)
    mark("error", log__level=level, app__error_code=code, error__type=kind, code__where=where)


def cause_and_place(error):
    """(class of the exception that began it, innermost line of our own that it went through or None)."""
    if isinstance(error, Problem) and error.__cause__ is not None:
        error = error.__cause__
    where, trail = None, error.__traceback__
    while trail is not None:
        file = Path(trail.tb_frame.f_code.co_filename)
        if file.parent == HERE:
            where = f"{file.name}:{trail.tb_lineno}"
        trail = trail.tb_next
    return type(error).__name__, where


class RequestIds(SpanProcessor):
    """Hands the request's id down to the spans inside it, in whatever thread or task."""

    def on_start(self, span, parent_context=None):
        above = getattr(trace.get_current_span(parent_context), "attributes", None) or {}
        if "app.request_id" in above:
            span.set_attribute("app.request_id", above["app.request_id"])


class AppLog(SpanExporter):
    """Appends to a file. What cannot be written is lost, and nobody else hears of it."""

    def __init__(self, path, level):
        self.path, self.least = path, LEVELS.index(level)

    def export(self, spans):
        try:
            lines = [line for span in spans for line in lines_of(span) if LEVELS.index(line["level"]) >= self.least]
            data = "".join(json.dumps(line) + "\n" for line in lines).encode()
            if data:
                with self.path.open("ab", buffering=0) as stream:
                    stream.write(data)
        except Exception:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def lines_of(span):
    """A line for each event, and one for the span itself."""
    whose = {name: span.attributes[name] for name in ("app.request_id",) if name in span.attributes}
    for event in span.events:
        if event.name in EVENTS:
            yield line(event.name, event.timestamp, whose | dict(event.attributes))
    if span.name in EVENTS:
        made = line(span.name, span.end_time, span.attributes)
        if span.name in TIMED:
            made["ms"] = round((span.end_time - span.start_time) / 1e6, 1)
            made.setdefault("status")
        yield made


def line(event, at_ns, attributes):
    ts = datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    made = {"ts": ts, "level": "INFO", "event": event}
    for name, (field, fits) in ATTRIBUTES.items():
        if name in attributes and fits(attributes[name]):
            made[field] = attributes[name]
    return made


def configure(path, level):
    """Spans go to `path`; every other way out is shut."""
    provider.add_span_processor(RequestIds())
    provider.add_span_processor(SimpleSpanProcessor(AppLog(path, level)))
    # No logger of any library says anything at any level: what we need of them, our spans tell.
    logging.disable(sys.maxsize)
    logging.raiseExceptions, logging.lastResort = False, None
    warnings.showwarning = lambda *told, **more: None
    sys.excepthook = lambda kind, error, trail: stray(error)
    sys.unraisablehook = lambda told: stray(told.exc_value)
    threading.excepthook = lambda told: stray(told.exc_value)


def watch_loop():
    """Tasks and callbacks that fail: call in the running loop."""
    asyncio.get_running_loop().set_exception_handler(lambda loop, told: stray(told.get("exception")))


def stray(error):
    """An exception that nobody caught."""
    if isinstance(error, Exception):
        with span("stray"):
            failed("internal_error", error)


def here():
    """The context to go on from elsewhere: span(..., within=here())."""
    return context.get_current()
