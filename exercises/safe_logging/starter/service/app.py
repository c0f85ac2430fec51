"""The routes."""

import json
import os
import subprocess
import time
import warnings
from datetime import date

from fastapi import Depends, FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException

from . import background, labels, logs, metrics, model, schemas
from .errors import ServiceError, error_response
from .laboratory import Laboratory
from .logs import event, log
from .store import Store

LONGEST_NOTE = 20_000
HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}


async def raw_body(request: Request):
    return await request.body()


def make_app(level):
    """The application; reads DB_PATH and LAB_URL."""
    app = FastAPI(title="readmission risk")
    store = Store(os.environ["DB_PATH"], echo=level == "DEBUG")
    laboratory = Laboratory(os.environ["LAB_URL"])
    add_middleware(app)
    add_error_handlers(app)
    event("startup", model_version=model.VERSION)

    def known(patient_id):
        try:
            return store.get(patient_id)
        except KeyError as error:
            raise ServiceError(404, "unknown_patient", str(error)) from error

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
            log.warning(f"patient refused: {error}")
            raise ServiceError(422, "invalid_patient", json.loads(error.json())) from error
        except ValueError as error:
            raise ServiceError(400, "malformed_json", "the body is not JSON") from error
        log.debug(f"new patient {patient!r}")
        try:
            store.add(patient)
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            status, code = (409, "duplicate_patient") if twice else (422, "constraint_failed")
            raise ServiceError(status, code, str(error)) from error
        return {"id": patient.id}

    @app.get("/patients/{id}")
    def read(id: str):  # noqa: A002 - the name in the route
        patient = known(id)
        log.info(f"read {patient.given} {patient.family}, born {patient.birth_date}")
        return patient.model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    def search(family: str | None = None, birthDate: str | None = None):  # noqa: N803 - the name in the query
        try:
            born = None if birthDate is None else date.fromisoformat(birthDate)
        except ValueError as error:
            raise ServiceError(422, "invalid_query", str(error)) from error
        return {"ids": store.search(family, born)}

    @app.post("/predict")
    def predict(request: Request, given: schemas.PredictInput):
        patient = known(given.patient)
        if len(given.note) > LONGEST_NOTE:
            warnings.warn(f"note of {patient.family} is long: {given.note[:80]}...", stacklevel=1)
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn, request.headers.get("X-Request-ID"))
        risk = model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0]
        event("prediction", model_version=model.VERSION)
        return {"risk": float(risk), "model_version": model.VERSION}

    @app.post("/bundle")
    def bundle(body: bytes = Depends(raw_body)):
        try:
            return {"patients": schemas.patients_of_bundle(body)}
        except ValueError as error:
            raise ServiceError(422, "invalid_bundle", str(error)) from error

    @app.post("/batch")
    def batch(body: bytes = Depends(raw_body)):
        try:
            return {"risks": model.batch_risks(body)}
        except (ValueError, KeyError) as error:
            raise ServiceError(422, "invalid_batch", str(error)) from error

    @app.post("/label")
    def label(given: schemas.LabelInput):
        try:
            labels.print_label(known(given.patient))
        except subprocess.CalledProcessError as error:
            raise ServiceError(500, "label_failed", str(error)) from error
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(given: schemas.NotifyInput):
        background.start(known(given.patient), given.message, given.how)
        return {"accepted": True}

    return app


def add_middleware(app):
    @app.middleware("http")
    async def log_request(request, call_next):
        started, request_id = time.perf_counter(), request.headers.get("X-Request-ID")
        logs.current["request_id"] = request_id
        try:
            response = await call_next(request)
        except Exception as error:
            response = failed(request, 500, "internal_error", str(error), error)
        hung_up = await request.is_disconnected()
        route = getattr(request.scope.get("route"), "path", request.url.path)
        status = 499 if hung_up else response.status_code
        response.headers["X-Request-ID"] = request_id or ""
        metrics.count("requests_total", route=route, status=status)
        event(
            "request",
            f"{request.method} {route} {status}",
            route=route,
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 1),
            site=request.headers.get("X-Site"),
            error_code=getattr(request.state, "error_code", None),
        )
        return response


def add_error_handlers(app):
    @app.exception_handler(ServiceError)
    async def service_error(request, error):
        return failed(request, error.status, error.code, error.detail, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        if any(problem["type"] == "json_invalid" for problem in error.errors()):
            return failed(request, 400, "malformed_json", "the body is not JSON", error)
        return failed(request, 422, "invalid_input", jsonable_encoder(error.errors()), error)

    @app.exception_handler(HTTPException)
    async def http_error(request, error):
        return failed(request, error.status_code, HTTP_CODES.get(error.status_code, "http_error"), error.detail, error)


def failed(request, status, code, detail, error):
    """Log the exception and answer with it."""
    request.state.error_code = code
    fields = {"event": "error", "error_code": code, "error_class": type(error).__name__}
    log.error(f"{request.method} {request.url.path} failed", exc_info=error, extra={"fields": fields})
    return error_response(status, code, request.headers.get("X-Request-ID"), detail)
