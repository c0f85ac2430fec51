"""The routes."""

import asyncio
import json
import os
import subprocess
from contextlib import asynccontextmanager
from datetime import date

from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError

from . import background, hooks, labels, metrics, model, schemas
from .anchor import Anchor
from .audit import AuditLog
from .context import current
from .errors import ServiceError
from .handlers import add_error_handlers
from .laboratory import Laboratory
from .logs import log
from .middleware import RequestLog
from .store import Store


async def raw_body(request: Request):
    return await request.body()


def parsed(body):
    """What the JSON says. FastAPI's own parsing would answer 422 to some bodies that are no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ServiceError(400, "malformed_json") from error


def checked(schema, body, code):
    """The body (bytes) as an instance of `schema`."""
    sent = parsed(body)
    try:
        return schema.model_validate(sent)
    except ValidationError as error:
        raise ServiceError(422, code) from error


def make_app(log_dir):
    """The application; reads the environment."""
    anchor = Anchor(os.environ["ANCHOR_URL"])
    audit = AuditLog(log_dir / "audit.ndjson", os.environ["AUDIT_KEY"], anchor, int(os.environ["ANCHOR_EVERY"]))
    store = Store(os.environ["DB_PATH"])
    laboratory = Laboratory(os.environ["LAB_URL"])

    @asynccontextmanager
    async def lifespan(app):
        asyncio.get_running_loop().set_exception_handler(hooks.loop_handler)
        log.info("startup", model_version=model.VERSION)
        yield
        audit.close()

    app = FastAPI(
        title="readmission risk",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(RequestLog)
    add_error_handlers(app)

    def used(patient_id, action):
        """The patient, whose use is in the audit log by now."""
        try:
            patient = store.get(patient_id)
        except KeyError as error:
            raise ServiceError(404, "unknown_patient") from error
        current().about(patient.id)
        audit.record(action, [patient.id])
        return patient

    @app.get("/health")
    def health():
        return {"status": "ok"}

    @app.get("/metrics")
    def show_metrics():
        return PlainTextResponse(metrics.text())

    @app.post("/patients", status_code=201)
    def create(body: bytes = Depends(raw_body)):
        patient = checked(schemas.Patient, body, "invalid_patient")
        try:
            store.add(patient, before_commit=lambda: audit.record("C", [patient.id]))
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            status, code = (409, "duplicate_patient") if twice else (422, "constraint_failed")
            raise ServiceError(status, code) from error
        current().about(patient.id)
        return {"id": patient.id}

    @app.get("/patients/{id}")
    def read(id: str):  # noqa: A002 - the name in the route
        return used(id, "R").model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    def search(family: str | None = None, birthDate: str | None = None):  # noqa: N803 - the name in the query
        try:
            born = None if birthDate is None else date.fromisoformat(birthDate)
        except ValueError as error:
            raise ServiceError(422, "invalid_query") from error
        found = store.search(family, born)
        audit.record("R", found)
        return {"ids": found}

    @app.post("/predict")
    def predict(body: bytes = Depends(raw_body)):
        given = checked(schemas.PredictInput, body, "invalid_input")
        patient = used(given.patient, "E")
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn)
        risk = model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0]
        current().when_answered.append(("prediction", {"model_version": model.VERSION}))
        return {"risk": float(risk), "model_version": model.VERSION}

    @app.post("/bundle")
    def bundle(body: bytes = Depends(raw_body)):
        parsed(body)
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
        given = checked(schemas.LabelInput, body, "invalid_input")
        try:
            labels.print_label(used(given.patient, "R"))
        except subprocess.CalledProcessError as error:
            raise ServiceError(500, "label_failed") from error
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(body: bytes = Depends(raw_body)):
        given = checked(schemas.NotifyInput, body, "invalid_input")
        patient = await run_in_threadpool(used, given.patient, "R")
        background.start(patient, given.message, given.how)
        return {"accepted": True}

    return app
