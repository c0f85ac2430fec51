"""The routes."""

import json
import os
import re
import subprocess
import time
import uuid
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
from .logs import error_event, event
from .reference import patient_ref
from .store import Store

SITES = ("north", "south", "east", "west")
HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}


async def raw_body(request: Request):
    return await request.body()


def make_app(log_dir):
    """The application; reads DB_PATH, LAB_URL and what the audit log needs."""
    audit = Audit(log_dir / "audit.ndjson")

    @asynccontextmanager
    async def lifespan(app):
        yield
        audit.close()

    app = FastAPI(title="readmission risk", lifespan=lifespan)
    store = Store(os.environ["DB_PATH"])
    laboratory = Laboratory(os.environ["LAB_URL"])
    add_middleware(app)
    add_error_handlers(app)
    event("startup", model_version=model.VERSION)

    def known(patient_id, action="R"):
        """The patient, once the audit log says that the caller had them. Raises ServiceError."""
        try:
            patient = store.get(patient_id)
        except KeyError as error:
            raise ServiceError(404, "unknown_patient") from error
        logs.current.get()["patient_ref"] = patient_ref(patient.id)
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
        try:
            patient = schemas.Patient.model_validate(json.loads(body))
        except ValidationError as error:
            raise ServiceError(422, "invalid_patient") from error
        except ValueError as error:
            raise ServiceError(400, "malformed_json") from error
        try:
            store.add(patient, lambda: audit.record("C", [patient.id]))
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            status, code = (409, "duplicate_patient") if twice else (422, "constraint_failed")
            raise ServiceError(status, code) from error
        logs.current.get()["patient_ref"] = patient_ref(patient.id)
        return {"id": patient.id}

    @app.get("/patients/{id}")
    def read(id: str):  # noqa: A002 - the name in the route
        return known(id).model_dump(mode="json", by_alias=True)

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
    def predict(given: schemas.PredictInput):
        patient = known(given.patient, "E")
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn, logs.current.get()["request_id"])
        risk = model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0]
        event("prediction", model_version=model.VERSION, patient_ref=logs.current.get()["patient_ref"])
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
            labels.print_label(known(given.patient))
        except subprocess.CalledProcessError as error:
            raise ServiceError(500, "label_failed") from error
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(given: schemas.NotifyInput):
        background.start(known(given.patient), given.message, given.how)
        return {"accepted": True}

    return app


def add_middleware(app):
    @app.middleware("http")
    async def log_request(request, call_next):
        started = time.perf_counter()
        request_id = plain(request.headers.get("X-Request-ID"))
        user = plain(request.headers.get("X-User", "").partition(" ")[0])  # A folded header comes as one line.
        about = {"request_id": request_id or uuid.uuid4().hex, "user": user, "patient_ref": None}
        logs.current.set(about)
        try:
            response = await call_next(request)
        except Exception as error:
            response = failed(request, 500, "internal_error", error)
        hung_up = await request.is_disconnected()
        route = getattr(request.scope.get("route"), "path", "unmatched")
        status = 499 if hung_up else response.status_code
        response.headers["X-Request-ID"] = about["request_id"]
        site = request.headers.get("X-Site")
        metrics.count("requests_total", route=route, status=status)
        event(
            "request",
            route=route,
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 1),
            site=site if site in SITES else None,
            error_code=getattr(request.state, "error_code", None),
            patient_ref=about["patient_ref"],
        )
        return response


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


def plain(header):
    """An id as it may stand in a log; None for anything else."""
    return header if re.fullmatch("[A-Za-z0-9.-]{1,64}", header or "") else None


def failed(request, status, code, error):
    """Log the exception and answer with it."""
    request.state.error_code = code
    error_event(code, error, getattr(request.scope.get("route"), "endpoint", None))
    return error_response(status, code, logs.current.get()["request_id"])
