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
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from . import background, labels, logs, metrics, model, schemas
from .audit import Audit
from .errors import ServiceError, error_response
from .laboratory import Laboratory
from .reference import patient_ref
from .store import Store

HTTP_CODES = {400: "malformed_json", 404: "not_found", 405: "method_not_allowed"}
SITES = ("north", "south", "east", "west")


async def raw_body(request: Request):
    return await request.body()


def parsed(body):
    """The JSON of a body. Raises ServiceError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ServiceError(400, "malformed_json") from error


def make_app(log_dir):
    """The application; reads DB_PATH, LAB_URL and what Audit reads."""
    audit = Audit(log_dir / "audit.ndjson")

    @asynccontextmanager
    async def lifespan(app):
        yield
        audit.close()

    app = FastAPI(
        title="readmission risk",
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    store = Store(os.environ["DB_PATH"])
    laboratory = Laboratory(os.environ["LAB_URL"])
    app.add_middleware(LogRequests)
    add_error_handlers(app)
    logs.event("startup", model_version=model.VERSION)

    def known(patient_id, action):
        """The patient, once the access has been recorded."""
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
        fields = parsed(body)
        try:
            patient = schemas.Patient.model_validate(fields)
        except ValidationError as error:
            raise ServiceError(422, "invalid_patient") from error
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
        return known(id, "R").model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    def search(family: str | None = None, birthDate: str | None = None):  # noqa: N803 - the name in the query
        try:
            born = None if birthDate is None else date.fromisoformat(birthDate)
        except ValueError as error:
            raise ServiceError(422, "invalid_query") from error
        ids = store.search(family, born)
        audit.record("R", ids)
        return {"ids": ids}

    @app.post("/predict")
    def predict(given: schemas.PredictInput):
        patient = known(given.patient, "E")
        here = logs.current.get()
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn, here["request_id"])
        risk = model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0]
        here["model_version"] = model.VERSION
        return {"risk": float(risk), "model_version": model.VERSION}

    @app.post("/bundle")
    def bundle(body: bytes = Depends(raw_body)):
        parsed(body)
        try:
            return {"patients": schemas.patients_of_bundle(body)}
        except (ValueError, LookupError, TypeError, AttributeError) as error:
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
            labels.print_label(known(given.patient, "R"))
        except subprocess.CalledProcessError as error:
            raise ServiceError(500, "label_failed") from error
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(given: schemas.NotifyInput):
        background.start(known(given.patient, "R"), given.message, given.how)
        return {"accepted": True}

    return app


class LogRequests:
    """Knows the request in hand, and logs it when its answer begins. Of headers, only what looks as agreed is believed."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, headers = time.perf_counter(), Headers(scope=scope)
        request_id, user, site = (headers.get(name, "") for name in ("X-Request-ID", "X-User", "X-Site"))
        here = {
            "request_id": request_id if re.fullmatch("[0-9a-f]{32}", request_id) else uuid.uuid4().hex,
            "user": user if re.fullmatch("prac-[0-9]{1,6}", user) else "unknown",
        }
        logs.current.set(here)
        done = False

        def finish(status):
            nonlocal done
            done = True
            route = getattr(scope.get("route"), "path", None)
            metrics.count("requests_total", route=route or "none", status=status)
            if status == 200 and "model_version" in here:
                logs.event("prediction", model_version=here["model_version"])
            logs.event(
                "request",
                route=route,
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                site=site if site in SITES else None,
                error_code=here.get("error_code"),
            )

        async def answer(message):
            if message["type"] == "http.response.start":
                hung_up = await Request(scope, receive).is_disconnected()
                finish(499 if hung_up else message["status"])
                message["headers"] = [*message.get("headers", []), (b"x-request-id", here["request_id"].encode())]
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except ClientDisconnect:
            pass
        except Exception as error:
            response = failed(500, "internal_error", error)
            if not done:
                await response(scope, receive, answer)
        finally:
            if not done:
                finish(499)


def add_error_handlers(app):
    @app.exception_handler(ServiceError)
    async def service_error(request, error):
        return failed(error.status, error.code, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request, error):
        malformed = any(problem["type"] == "json_invalid" for problem in error.errors())
        if isinstance(error.body, bytes):
            # Sent as something else than JSON, and so not read as JSON.
            try:
                parsed(error.body)
            except ServiceError:
                malformed = True
        return failed(*((400, "malformed_json") if malformed else (422, "invalid_input")), error)

    @app.exception_handler(HTTPException)
    async def http_error(request, error):
        return failed(error.status_code, HTTP_CODES.get(error.status_code, "http_error"), error)


def failed(status, code, error):
    """Log the exception and answer with its code."""
    here = logs.current.get()
    if not isinstance(logs.first(error), ClientDisconnect):
        here["error_code"] = code
        logs.error(code, error, "ERROR" if status >= 500 else "WARNING")
    return error_response(status, code, here["request_id"])
