"""The routes."""

import asyncio
import json
import os
import subprocess
from contextlib import asynccontextmanager
from datetime import date

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from . import background, labels, logs, metrics, model, schemas
from .audit import Anchor, Audit
from .errors import ServiceError
from .laboratory import Laboratory
from .observe import Observe, failed
from .store import Store

HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}


async def raw_body(request: Request):
    return await request.body()


def from_json(body):
    """What the body (bytes) says. Raises ServiceError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ServiceError(400, "malformed_json") from error


def valid(schema, body, code):
    """The body (bytes) as an instance of `schema`. Raises ServiceError with this code."""
    content = from_json(body)
    try:
        return schema.model_validate(content)
    except (ValueError, RecursionError) as error:
        raise ServiceError(422, code) from error


def make_app(log_dir):
    """The application; reads DB_PATH, LAB_URL, AUDIT_KEY, ANCHOR_URL, ANCHOR_EVERY."""
    anchor = Anchor(os.environ.get("ANCHOR_URL"))
    audit = Audit(log_dir / "audit.ndjson", os.environ["AUDIT_KEY"], anchor, int(os.environ.get("ANCHOR_EVERY", "10")))

    @asynccontextmanager
    async def lifespan(app):
        yield
        await asyncio.to_thread(audit.close)

    app = FastAPI(
        title="readmission risk",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    store = Store(os.environ["DB_PATH"])
    laboratory = Laboratory(os.environ["LAB_URL"])
    app.add_middleware(Observe)
    add_error_handlers(app)
    logs.event("startup", model_version=model.VERSION)

    def known(patient_id):
        try:
            patient = store.get(patient_id)
        except KeyError as error:
            raise ServiceError(404, "unknown_patient") from error
        logs.about(patient.id)
        return patient

    def accessed(patient_id, action, interaction):
        """The patient, once it is on record that somebody asked for them."""
        patient = known(patient_id)
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
        patient = valid(schemas.Patient, body, "invalid_patient")
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
        return accessed(id, "R", "read").model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    def search(family: str | None = None, birthDate: str | None = None):  # noqa: N803 - the name in the query
        try:
            born = None if birthDate is None else date.fromisoformat(birthDate)
        except ValueError as error:
            raise ServiceError(422, "invalid_query") from error
        ids = store.search(family, born)
        if ids:
            audit.record("R", "search-type", ids)
        return {"ids": ids}

    @app.post("/predict")
    def predict(body: bytes = Depends(raw_body)):
        given = valid(schemas.PredictInput, body, "invalid_input")
        # Before the laboratory is told a number.
        patient = accessed(given.patient, "E", "operation")
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn, logs.request_id())
        risk = model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0]
        # Logged when it is given out, and not if the caller has hung up.
        logs.trace.get().model_version = model.VERSION
        return {"risk": float(risk), "model_version": model.VERSION}

    @app.post("/bundle")
    def bundle(body: bytes = Depends(raw_body)):
        from_json(body)
        try:
            return {"patients": schemas.patients_of_bundle(body)}
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ServiceError(422, "invalid_bundle") from error

    @app.post("/batch")
    def batch(body: bytes = Depends(raw_body)):
        try:
            return {"risks": model.batch_risks(body)}
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise ServiceError(422, "invalid_batch") from error

    @app.post("/label")
    def label(body: bytes = Depends(raw_body)):
        given = valid(schemas.LabelInput, body, "invalid_input")
        patient = accessed(given.patient, "R", "operation")
        try:
            labels.print_label(patient)
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            raise ServiceError(500, "label_failed") from error
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(body: bytes = Depends(raw_body)):
        given = valid(schemas.NotifyInput, body, "invalid_input")
        patient = await run_in_threadpool(accessed, given.patient, "R", "operation")
        background.start(patient, given.message, given.how)
        return {"accepted": True}

    return app


def add_error_handlers(app):
    @app.exception_handler(ServiceError)
    async def service_error(request, error):
        return failed(error.status, error.code, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        code = "invalid_query" if request.method == "GET" else "invalid_input"
        return failed(422, code, error)

    @app.exception_handler(HTTPException)
    async def http_error(request, error):
        return failed(error.status_code, HTTP_CODES.get(error.status_code, "internal_error"), error)
