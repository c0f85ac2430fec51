"""The routes."""

import asyncio
import json
import os
import subprocess
import time
from contextlib import asynccontextmanager
from datetime import date

import anyio
from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from . import background, context, labels, metrics, model, schemas
from .audit import Anchor, Audit
from .errors import ServiceError, error_response
from .laboratory import Laboratory
from .logs import SITES, error_event, event
from .reference import patient_ref
from .store import Store

HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}


async def raw_body(request: Request):
    return await request.body()


def parsed(kind, body, invalid):
    """The body (bytes) as a schema's object. Raises ServiceError."""
    try:
        return kind.model_validate(json.loads(body))
    except ValidationError as error:
        raise ServiceError(422, invalid) from error
    except (ValueError, RecursionError) as error:
        raise ServiceError(400, "malformed_json") from error


def make_app(log_dir):
    """The application; reads DB_PATH, LAB_URL, LOG_KEY, AUDIT_KEY, ANCHOR_URL and ANCHOR_EVERY."""
    store = Store(os.environ["DB_PATH"])
    laboratory = Laboratory(os.environ["LAB_URL"])
    anchor = Anchor(os.environ["ANCHOR_URL"], int(os.environ["ANCHOR_EVERY"]))
    audit = Audit(log_dir / "audit.ndjson", os.environ["AUDIT_KEY"], anchor)

    @asynccontextmanager
    async def lifespan(app):
        event("startup", model_version=model.VERSION)
        yield
        await run_in_threadpool(audit.close)

    app = FastAPI(title="readmission risk", lifespan=lifespan)
    app.add_middleware(LogRequests)
    add_error_handlers(app)

    def known(patient_id):
        """The patient; whoever asks records the access. Raises ServiceError, also if the access could not be recorded."""
        try:
            patient = store.get(patient_id)
        except KeyError as error:
            raise ServiceError(404, "unknown_patient") from error
        context.now().patient_ref = patient_ref(patient.id)
        audit.ready()
        return patient

    def seen(patient_id, what):
        """The patient, once it is in the audit log that their data are given out. Raises ServiceError."""
        patient = known(patient_id)
        audit.record(what, [patient.id])
        return patient

    @app.get("/health")
    def health():
        return {"status": "ok"}

    @app.get("/metrics")
    def show_metrics():
        return PlainTextResponse(metrics.text())

    @app.post("/patients", status_code=201)
    def create(body: bytes = Depends(raw_body)):
        patient = parsed(schemas.Patient, body, "invalid_patient")
        try:
            store.add(patient, before_commit=lambda: audit.record("create", [patient.id]))
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            status, code = (409, "duplicate_patient") if twice else (422, "constraint_failed")
            raise ServiceError(status, code) from error
        context.now().patient_ref = patient_ref(patient.id)
        return {"id": patient.id}

    @app.get("/patients/{id}")
    def read(id: str):  # noqa: A002 - the name in the route
        return seen(id, "read").model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    def search(family: str | None = None, birthDate: str | None = None):  # noqa: N803 - the name in the query
        try:
            born = None if birthDate is None else date.fromisoformat(birthDate)
        except ValueError as error:
            raise ServiceError(422, "invalid_query") from error
        ids = store.search(family, born)
        audit.record("search-type", ids)
        return {"ids": ids}

    @app.post("/predict")
    def predict(body: bytes = Depends(raw_body)):
        given = parsed(schemas.PredictInput, body, "invalid_input")
        patient = known(given.patient)
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn)
        audit.record("predict", [patient.id])
        risk = model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0]
        context.now().model_version = model.VERSION
        return {"risk": float(risk), "model_version": model.VERSION}

    @app.post("/bundle")
    def bundle(body: bytes = Depends(raw_body)):
        try:
            return {"patients": schemas.patients_of_bundle(body)}
        except ValueError as error:
            raise ServiceError(422, "invalid_bundle") from error

    @app.post("/batch")
    def batch(body: bytes = Depends(raw_body)):
        try:
            return {"risks": model.batch_risks(body)}
        except (ValueError, KeyError) as error:
            raise ServiceError(422, "invalid_batch") from error

    @app.post("/label")
    def label(body: bytes = Depends(raw_body)):
        patient = seen(parsed(schemas.LabelInput, body, "invalid_input").patient, "label")
        try:
            labels.print_label(patient)
        except subprocess.CalledProcessError as error:
            raise ServiceError(500, "label_failed") from error
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(body: bytes = Depends(raw_body)):
        given = parsed(schemas.NotifyInput, body, "invalid_input")
        patient = await run_in_threadpool(seen, given.patient, "notify")
        background.start(patient, given.message, given.how)
        return {"accepted": True}

    return app


class LogRequests:
    """Outermost of the service's own code: gives each request its context, its line in the log, and an answer in any case."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, headers = time.perf_counter(), Headers(scope=scope)
        site = headers.get("X-Site")
        work = context.Work(
            context.request_id_of(headers.get("X-Request-ID")), site if site in SITES else None, headers.get("X-User")
        )
        token = context.work.set(work)
        status = None

        async def send_noting(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = 499 if await hung_up(receive) else message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = work.request_id
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except ClientDisconnect:
            status = 499
        except asyncio.CancelledError:
            # The service is told to leave and does not wait any longer.
            status, work.error_code = status or 503, work.error_code or "shutdown"
            raise
        except Exception as error:
            answer = failed(500, "internal_error", error)
            if status is None:
                await answer(scope, receive, send_noting)
        finally:
            # Only templates of the service's own: a path holds whatever the caller put there.
            route = getattr(scope.get("route"), "path", "unmatched")
            if work.model_version and status == 200:
                event("prediction", model_version=work.model_version, patient_ref=work.patient_ref)
            metrics.count("requests_total", route=route, status=status)
            event(
                "request",
                route=route,
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                site=work.site,
                error_code=work.error_code,
                patient_ref=work.patient_ref,
            )
            context.work.reset(token)


async def hung_up(receive):
    """Whether the caller is gone; does not wait."""
    message = {}
    with anyio.CancelScope() as scope:
        scope.cancel()
        message = await receive()
    return message.get("type") == "http.disconnect"


def add_error_handlers(app):
    @app.exception_handler(ServiceError)
    async def service_error(request, error):
        return failed(error.status, error.code, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        return failed(422, "invalid_input", error)

    @app.exception_handler(HTTPException)
    async def http_error(request, error):
        return failed(error.status_code, HTTP_CODES.get(error.status_code, "http_error"), error)


def failed(status, code, error):
    """Log the exception, and the answer that tells of it no more than a code."""
    work = context.now()
    work.error_code = code
    error_event(error, code)
    return error_response(status, code, work.request_id)
