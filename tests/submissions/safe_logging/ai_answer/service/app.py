"""The routes."""

import asyncio
import json
import os
import subprocess
from contextlib import asynccontextmanager
from datetime import date

from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from . import background, labels, logs, metrics, model, schemas
from .audit import Anchor, Audit
from .errors import ServiceError, began, error_response
from .laboratory import Laboratory
from .middleware import RequestLog
from .reference import patient_ref
from .store import Store

LONGEST_NOTE = 20_000
HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}


def setting(name):
    """A variable of the environment that has to be there: secrets have no default."""
    if not os.environ.get(name):
        raise SystemExit(f"service: {name} is not set")
    return os.environ[name]


async def raw_body(request: Request):
    return await request.body()


def make_app(audit_path):
    """The application; reads the environment."""
    setting("LOG_KEY")
    store = Store(setting("DB_PATH"))
    laboratory = Laboratory(setting("LAB_URL"))
    audit = Audit(
        audit_path, setting("AUDIT_KEY"), Anchor(setting("ANCHOR_URL")), int(os.environ.get("ANCHOR_EVERY", "10"))
    )

    @asynccontextmanager
    async def lifespan(_):
        asyncio.get_running_loop().set_exception_handler(logs.loop_failed)
        logs.event("startup", model_version=model.VERSION)
        yield
        # uvicorn raises the signal again when this is done: what has to be said is said here.
        audit.close()
        laboratory.close()
        store.close()

    app = FastAPI(title="readmission risk", lifespan=lifespan)
    app.add_middleware(RequestLog)
    add_error_handlers(app)

    def accessed(patient_id, action, kind):
        """The patient, once it stands in the audit log that somebody is about to use their data."""
        try:
            patient = store.get(patient_id)
        except KeyError as error:
            raise ServiceError(404, "unknown_patient") from error
        logs.current().patient_ref = patient_ref(patient.id)
        audit.record(action, kind, [patient.id])
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
        except (ValueError, RecursionError) as error:
            raise ServiceError(400, "malformed_json") from error
        try:
            store.add(patient, lambda: audit.record("C", "create", [patient.id]))
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            status, code = (409, "duplicate_patient") if twice else (422, "constraint_failed")
            raise ServiceError(status, code) from error
        logs.current().patient_ref = patient_ref(patient.id)
        return {"id": patient.id}

    @app.get("/patients/{id}")
    def read(id: str):  # noqa: A002 - the name in the route
        return accessed(id, "R", "read").model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    def search(family: str | None = None, birthDate: str | None = None):  # noqa: N803 - the name in the query
        try:
            born = None if birthDate is None else date.fromisoformat(birthDate)
        except ValueError as error:
            raise ServiceError(422, "invalid_query") from error
        ids = store.search(family, born)
        audit.record("R", "search", ids)
        return {"ids": ids}

    @app.post("/predict")
    def predict(given: schemas.PredictInput):
        # Before the laboratory is asked: it is told the patient's number.
        patient = accessed(given.patient, "E", "predict")
        if len(given.note) > LONGEST_NOTE:
            metrics.count("long_notes_total")
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn, logs.current().request_id)
        risk = model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0]
        # The line `prediction` is written when the answer has gone out.
        logs.current().model_version = model.VERSION
        return {"risk": float(risk), "model_version": model.VERSION}

    @app.post("/bundle")
    def bundle(body: bytes = Depends(raw_body)):
        try:
            return {"patients": schemas.patients_of_bundle(body)}
        except (ValueError, LookupError) as error:
            raise ServiceError(422, "invalid_bundle") from error

    @app.post("/batch")
    def batch(body: bytes = Depends(raw_body)):
        try:
            return {"risks": model.batch_risks(body)}
        except (ValueError, KeyError) as error:
            raise ServiceError(422, "invalid_batch") from error

    @app.post("/label")
    def label(given: schemas.LabelInput):
        patient = accessed(given.patient, "R", "label")
        try:
            labels.print_label(patient)
        except subprocess.CalledProcessError as error:
            raise ServiceError(500, "label_failed") from error
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(given: schemas.NotifyInput):
        patient = await run_in_threadpool(accessed, given.patient, "R", "notify")
        background.start(patient, given.message, given.how)
        return {"accepted": True}

    return app


def add_error_handlers(app):
    @app.exception_handler(ServiceError)
    async def service_error(request, error):
        return failed(request, error.status, error.code, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        if any(problem["type"] == "json_invalid" for problem in error.errors()):
            return failed(request, 400, "malformed_json", error)
        return failed(request, 422, "invalid_input", error)

    @app.exception_handler(HTTPException)
    async def http_error(request, error):
        return failed(request, error.status_code, HTTP_CODES.get(error.status_code, "http_error"), error)


def failed(request, status, code, error):
    """Log the exception's class and place, and answer with a code."""
    facts = logs.current()
    if isinstance(began(error), ClientDisconnect):
        # Nothing failed here; the request's line says 499.
        facts.hung_up = True
    else:
        facts.error_code = code
        logs.error(code, error, "ERROR" if status >= 500 else "WARNING", request.scope.get("endpoint"))
    return error_response(status, code, facts.request_id)
