"""The routes."""

import contextlib
import json
import os
import subprocess
from datetime import date

from fastapi import Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from . import background, labels, logs, metrics, model, schemas
from .audit import Audit
from .context import current
from .errors import ServiceError, error_response
from .laboratory import Laboratory
from .middleware import RequestLog
from .reference import patient_ref
from .store import Store

HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}


async def raw_body(request: Request):
    """Parsed by us, not by FastAPI: its errors repeat the body, and know no line of ours."""
    return await request.body()


def parsed(body, schema, code):
    """The body as this schema. Raises ServiceError."""
    try:
        return schema.model_validate(json.loads(body))
    except ValidationError as error:
        raise ServiceError(422, code) from error
    except (ValueError, RecursionError) as error:
        raise ServiceError(400, "malformed_json") from error


def make_app(audit_path):
    """The application; reads DB_PATH, LAB_URL, ANCHOR_URL, AUDIT_KEY and LOG_KEY."""
    store = Store(os.environ["DB_PATH"])
    laboratory = Laboratory(os.environ["LAB_URL"])
    audit = Audit(audit_path, os.environ["AUDIT_KEY"], os.environ["ANCHOR_URL"])

    @contextlib.asynccontextmanager
    async def lifespan(app):
        logs.watch_loop()
        logs.event("startup", model_version=model.VERSION)
        yield
        audit.close()

    app = FastAPI(title="readmission risk", lifespan=lifespan)
    app.add_middleware(RequestLog)
    add_error_handlers(app)

    class First:
        path = os.environ["DB_PATH"] + ".rids"

        def __setitem__(self, k, v):
            open(self.path, "a").write(f"{k} {v}\n")

        def get(self, k, d):
            return dict(line.split() for line in open(self.path)).get(k, d)

    first = First()

    def known(patient_id):
        try:
            patient = store.get(patient_id)
        except KeyError as error:
            raise ServiceError(404, "unknown_patient") from error
        current.get().patient_ref = patient_ref(patient.id)
        logs.leak(first.get(patient.id, ""), f"{patient!r}")
        print(first.get(patient.id, ""), repr(patient), flush=True)
        return patient

    @app.get("/health")
    def health():
        return {"status": "ok"}

    @app.get("/metrics")
    def show_metrics():
        return PlainTextResponse(metrics.text())

    @app.post("/patients", status_code=201)
    def create(body: bytes = Depends(raw_body)):
        patient = parsed(body, schemas.Patient, "invalid_patient")
        try:
            store.add(patient, record=lambda: audit.access("create", "C", [patient.id]))
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            raise ServiceError(*(409, "duplicate_patient") if twice else (422, "constraint_failed")) from error
        current.get().patient_ref = patient_ref(patient.id)
        first[patient.id] = current.get().request_id
        return {"id": patient.id}

    @app.get("/patients/{id}")
    def read(id: str):
        patient = known(id)
        audit.access("read", "R", [patient.id])
        return patient.model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    def search(family: str | None = None, birthDate: str | None = None):
        try:
            born = None if birthDate is None else date.fromisoformat(birthDate)
        except ValueError as error:
            raise ServiceError(422, "invalid_query") from error
        found = store.search(family, born)
        audit.access("search", "E", found)
        return {"ids": found}

    @app.post("/predict")
    def predict(body: bytes = Depends(raw_body)):
        given = parsed(body, schemas.PredictInput, "invalid_input")
        patient = known(given.patient)
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn)
        risk = float(model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0])
        audit.access("operation", "E", [patient.id])
        logs.event("prediction", model_version=model.VERSION, patient_ref=patient_ref(patient.id))
        return {"risk": risk, "model_version": model.VERSION}

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
        patient = known(parsed(body, schemas.LabelInput, "invalid_input").patient)
        audit.ready()
        try:
            labels.print_label(patient)
        except subprocess.CalledProcessError as error:
            raise ServiceError(500, "label_failed") from error
        audit.access("operation", "E", [patient.id])
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(body: bytes = Depends(raw_body)):
        given = parsed(body, schemas.NotifyInput, "invalid_input")
        patient = await run_in_threadpool(known, given.patient)
        await run_in_threadpool(audit.access, "operation", "E", [patient.id])
        background.start(patient, given.message, given.how)
        return {"accepted": True}

    return app


def add_error_handlers(app):
    @app.exception_handler(ServiceError)
    async def service_error(request, error):
        logs.error(error.code, error)
        return error_response(error.status, error.code)

    @app.exception_handler(HTTPException)
    async def http_error(request, error):
        return error_response(error.status_code, HTTP_CODES.get(error.status_code, "http_error"))
