"""The routes."""

import json
import os
import subprocess
import time
from contextlib import asynccontextmanager
from datetime import date

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException

from . import background, labels, logs, metrics, model, schemas
from .audit import Audit
from .errors import ServiceError, error_response
from .laboratory import Laboratory
from .logs import event
from .store import Store

HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}


async def raw_body(request: Request):
    return await request.body()


def make_app(log_dir):
    """The application; reads DB_PATH, LAB_URL, AUDIT_KEY, ANCHOR_URL and ANCHOR_EVERY."""
    every = int(os.environ["ANCHOR_EVERY"])
    audit = Audit(log_dir / "audit.ndjson", os.environ["AUDIT_KEY"], os.environ["ANCHOR_URL"], every)

    @asynccontextmanager
    async def lifespan(app):
        yield
        audit.close()

    # Without the pages of documentation and redirects: both are routes that nobody asked for.
    app = FastAPI(title="readmission risk", lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    store = Store(os.environ["DB_PATH"])
    laboratory = Laboratory(os.environ["LAB_URL"])
    add_middleware(app)
    add_error_handlers(app)
    event("startup", model_version=model.VERSION)

    def known(patient_id, action, interaction):
        """The patient; that they were looked at is in the audit log by then."""
        try:
            patient = store.get(patient_id)
        except KeyError as error:
            raise ServiceError(404, "unknown_patient") from error
        logs.about(patient.id)
        audit.record(action, interaction, [patient.id])
        return patient

    @app.get("/health")
    def health():
        return {"status": "ok"}

    @app.get("/metrics")
    def show_metrics():
        return PlainTextResponse(metrics.text())

    @app.post("/patients", status_code=201)
    def create(body: bytes = Depends(raw_body)):
        try:
            patient = schemas.Patient.model_validate(json.loads(body))
        except ValidationError as error:
            raise ServiceError(422, "invalid_patient") from error
        except ValueError as error:
            raise ServiceError(400, "malformed_json") from error
        try:
            store.add(patient, lambda: audit.record("C", "create", [patient.id]))
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            status, code = (409, "duplicate_patient") if twice else (422, "constraint_failed")
            raise ServiceError(status, code) from error
        logs.about(patient.id)
        return {"id": patient.id}

    @app.get("/patients/{id}")
    def read(id: str):  # noqa: A002 - the name in the route
        return known(id, "R", "read").model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    def search(family: str | None = None, birthDate: str | None = None):  # noqa: N803 - the name in the query
        try:
            born = None if birthDate is None else date.fromisoformat(birthDate)
        except ValueError as error:
            raise ServiceError(422, "invalid_query") from error
        ids = store.search(family, born)
        if ids:
            audit.record("R", "search", ids)
        return {"ids": ids}

    @app.post("/predict")
    def predict(given: schemas.PredictInput):
        patient = known(given.patient, "E", "operation")
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn, logs.current.get()["request_id"])
        risk = model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0]
        event("prediction", model_version=model.VERSION, patient_ref=logs.current.get()["patient_ref"])
        return {"risk": float(risk), "model_version": model.VERSION}

    @app.post("/bundle")
    def bundle(body: bytes = Depends(raw_body)):
        try:
            json.loads(body)
        except ValueError as error:
            raise ServiceError(400, "malformed_json") from error
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
    def label(given: schemas.LabelInput):
        try:
            labels.print_label(known(given.patient, "R", "read"))
        except subprocess.CalledProcessError as error:
            raise ServiceError(500, "label_failed") from error
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(given: schemas.NotifyInput):
        background.start(known(given.patient, "R", "read"), given.message, given.how)
        return {"accepted": True}

    return app


def add_middleware(app):
    @app.middleware("http")
    async def log_request(request, call_next):
        started, known, status = time.perf_counter(), logs.begin(request.headers), 499
        try:
            try:
                response = await call_next(request)
            except Exception as error:
                response = failed(request, 500, "internal_error", error)
            response.headers["X-Request-ID"] = known["request_id"]
            if not await request.is_disconnected():
                status = response.status_code
            return response
        finally:
            # The template; what stands in the path may be anybody's.
            route = getattr(request.scope.get("route"), "path", None)
            metrics.count("requests_total", route=route or "none", status=status)
            event(
                "request",
                route=route,
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                site=known["site"],
                error_code=getattr(request.state, "error_code", None),
                patient_ref=known["patient_ref"],
            )


def add_error_handlers(app):
    @app.exception_handler(ServiceError)
    async def service_error(request, error):
        return failed(request, error.status, error.code, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        if any(no_json(problem) for problem in error.errors()) or not_parsed(error.body):
            return failed(request, 400, "malformed_json", error)
        return failed(request, 422, "invalid_input", error)

    @app.exception_handler(HTTPException)
    async def http_error(request, error):
        return failed(request, error.status_code, HTTP_CODES.get(error.status_code, "http_error"), error)


def no_json(problem):
    """Is the problem that the body was no JSON, or none at all?"""
    return problem["type"] == "json_invalid" or (problem["type"] == "missing" and problem["loc"] == ("body",))


def not_parsed(body):
    """Bytes are a body of another content type: no JSON either?"""
    try:
        return isinstance(body, bytes) and json.loads(body) is body
    except ValueError:
        return True


def failed(request, status, code, error):
    """Log where the exception came from and answer with its code."""
    request.state.error_code = code
    logs.error_event(code, error)
    return error_response(status, code, logs.current.get()["request_id"])
