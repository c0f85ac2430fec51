"""The routes."""

import json
import os
import subprocess
from contextlib import asynccontextmanager
from datetime import date

import anyio
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from . import audit, background, labels, logs, metrics, model, schemas
from .errors import ServiceError, error_response, origin
from .laboratory import Laboratory
from .middleware import LogRequests
from .reference import patient_ref
from .store import Store

HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}


async def raw_body(request: Request):
    return await request.body()


def parsed(body):
    """Raises ServiceError for what is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ServiceError(400, "malformed_json") from error


def make_app(audit_path):
    """The application; reads DB_PATH, LAB_URL, LOG_KEY and what audit.from_environment reads."""
    os.environ["LOG_KEY"]  # better missed now than at the first patient
    store = Store(os.environ["DB_PATH"])
    laboratory = Laboratory(os.environ["LAB_URL"])
    records = audit.from_environment(audit_path)

    @asynccontextmanager
    async def lifespan(app):
        yield
        await anyio.to_thread.run_sync(records.close)

    # What the contract does not name is 404: no pages of documentation, no redirects that repeat the query.
    app = FastAPI(title="readmission risk", lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    app.add_middleware(LogRequests)
    add_error_handlers(app)
    logs.event("startup", model_version=model.VERSION)

    def known(patient_id, action, interaction):
        """The patient, after the access has been recorded. Raises ServiceError."""
        try:
            patient = store.get(patient_id)
        except KeyError as error:
            raise ServiceError(404, "unknown_patient") from error
        logs.current.get().patient_ref = patient_ref(patient.id)
        records.record(action, interaction, [patient.id])
        return patient

    @app.get("/health")
    def health():
        return {"status": "ok"}

    @app.get("/metrics")
    def show_metrics():
        return PlainTextResponse(metrics.text())

    @app.post("/patients", status_code=201)
    def create(body: bytes = Depends(raw_body)):
        content = parsed(body)
        try:
            patient = schemas.Patient.model_validate(content)
        except ValidationError as error:
            raise ServiceError(422, "invalid_patient") from error
        try:
            store.add(patient, lambda: records.record("C", "create", [patient.id]))
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            status, code = (409, "duplicate_patient") if twice else (422, "constraint_failed")
            raise ServiceError(status, code) from error
        logs.current.get().patient_ref = patient_ref(patient.id)
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
        records.record("R", "search-type", ids)
        return {"ids": ids}

    @app.post("/predict")
    def predict(given: schemas.PredictInput):
        patient = known(given.patient, "E", "operation")
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn, logs.current.get().request_id)
        risk = model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0]
        logs.event("prediction", model_version=model.VERSION, patient_ref=logs.current.get().patient_ref)
        return {"risk": float(risk), "model_version": model.VERSION}

    @app.post("/bundle")
    def bundle(body: bytes = Depends(raw_body)):
        parsed(body)
        try:
            return {"patients": schemas.patients_of_bundle(body)}
        except Exception as error:  # the library raises many kinds; whichever it is, the bundle is at fault
            raise ServiceError(422, "invalid_bundle") from error

    @app.post("/batch")
    def batch(body: bytes = Depends(raw_body)):
        try:
            return {"risks": model.batch_risks(body)}
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise ServiceError(422, "invalid_batch") from error

    @app.post("/label")
    def label(given: schemas.LabelInput):
        try:
            labels.print_label(known(given.patient, "R", "operation"))
        except subprocess.CalledProcessError as error:
            raise ServiceError(500, "label_failed") from error
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(given: schemas.NotifyInput):
        background.start(known(given.patient, "R", "operation"), given.message, given.how)
        return {"accepted": True}

    logs.ROUTES.update(route.path for route in app.routes)
    return app


def add_error_handlers(app):
    @app.exception_handler(ServiceError)
    async def service_error(request, error):
        return failed(error.status, error.code, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        if any(problem["type"] == "json_invalid" for problem in error.errors()):
            return failed(400, "malformed_json", error)
        return failed(422, "invalid_input", error)

    @app.exception_handler(HTTPException)
    async def http_error(request, error):
        return failed(error.status_code, HTTP_CODES.get(error.status_code, "http_error"), error, error.headers)


def failed(status, code, error, headers=None):
    """Log what began it, and answer with the code."""
    call, began = logs.current.get(), origin(error)
    if not isinstance(began, ClientDisconnect):
        call.error_code = code
        logs.error_event(began, code, "ERROR" if status >= 500 else "WARNING")
    return error_response(status, code, call.request_id, headers)
