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
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException

from . import audit, background, labels, logs, metrics, model, schemas
from .errors import ServiceError
from .laboratory import Laboratory
from .middleware import RequestLog, failed
from .reference import patient_ref
from .store import Store

HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}
BACKGROUND_S = 0.6


async def raw_body(request: Request):
    return await request.body()


def make_app(audit_path):
    """The application; reads DB_PATH, LAB_URL, ANCHOR_URL, ANCHOR_EVERY, LOG_KEY and AUDIT_KEY."""
    store = Store(os.environ["DB_PATH"])
    laboratory = Laboratory(os.environ["LAB_URL"])
    record = audit.from_environment(audit_path)

    @asynccontextmanager
    async def lifespan(_app):
        asyncio.get_running_loop().set_exception_handler(logs.loop_handler)
        logs.event("startup", model_version=model.VERSION)
        yield
        await background.finish(BACKGROUND_S)
        await asyncio.to_thread(record.close)

    app = FastAPI(title="readmission risk", lifespan=lifespan)
    app.add_middleware(RequestLog)
    add_error_handlers(app)

    def known(patient_id):
        try:
            patient = store.get(patient_id)
        except KeyError as error:
            raise ServiceError(404, "unknown_patient") from error
        logs.context().patient_ref = patient_ref(patient.id)
        return patient

    def accessed(patient_id, action):
        """The patient, once the access has been recorded. Raises ServiceError."""
        patient = known(patient_id)
        record.record(action, patient.id)
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
            store.add(patient, lambda: record.record("C", patient.id))
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            raise ServiceError(*((409, "duplicate_patient") if twice else (422, "constraint_failed"))) from error
        logs.context().patient_ref = patient_ref(patient.id)
        return {"id": patient.id}

    @app.get("/patients/{id}")
    def read(id: str):  # noqa: A002 - the name in the route
        return accessed(id, "R").model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    def search(family: str | None = None, birthDate: str | None = None):  # noqa: N803 - the name in the query
        try:
            born = None if birthDate is None else date.fromisoformat(birthDate)
        except ValueError as error:
            raise ServiceError(422, "invalid_query") from error
        ids = store.search(family, born)
        record.record("R", *ids)
        return {"ids": ids}

    @app.post("/predict")
    def predict(given: schemas.PredictInput):
        patient = known(given.patient)
        record.ready()
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn, logs.context().request_id)
        risk = model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0]
        record.record("E", patient.id)
        logs.context().predicted = model.VERSION
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
    def label(given: schemas.LabelInput):
        try:
            patient = known(given.patient)
            record.ready()
            labels.print_label(patient)
        except subprocess.CalledProcessError as error:
            raise ServiceError(500, "label_failed") from error
        record.record("R", patient.id)
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(given: schemas.NotifyInput):
        background.start(accessed(given.patient, "R"), given.message, given.how)
        return {"accepted": True}

    return app


def add_error_handlers(app):
    @app.exception_handler(ServiceError)
    async def service_error(request, error):
        return failed(request.scope, error.status, error.code, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        if any(problem["type"] == "json_invalid" for problem in error.errors()):
            return failed(request.scope, 400, "malformed_json", error)
        return failed(request.scope, 422, "invalid_input", error)

    @app.exception_handler(HTTPException)
    async def http_error(request, error):
        code = HTTP_CODES.get(error.status_code, "http_error")
        return failed(request.scope, error.status_code, code, error)
