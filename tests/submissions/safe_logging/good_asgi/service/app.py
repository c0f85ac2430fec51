"""The routes."""

import asyncio
import contextlib
import json
import os
import subprocess
from datetime import date

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException

from . import audit as auditing
from . import background, labels, laboratory, metrics, model, schemas
from .journal import Visit, journal
from .records import Code, Failure, Prediction, Version
from .store import Store


async def raw_body(request: Request):
    return await request.body()


async def this_visit(request: Request):
    return request.scope["visit"]


def parsed(body, schema, code):
    """The body as this schema. Raises Failure. FastAPI would do it too, and repeat the body in its errors."""
    try:
        return schema.model_validate(json.loads(body))
    except ValidationError as error:
        raise Failure(code) from error
    except (ValueError, RecursionError) as error:
        raise Failure(Code.MALFORMED_JSON) from error


def known(store, visit, patient_id):
    """The patient of this id. Raises Failure."""
    try:
        patient = store.get(patient_id)
    except KeyError as error:
        raise Failure(Code.UNKNOWN_PATIENT) from error
    visit.concerns(patient.id)
    return patient


def make_app(write, audit_path):
    """The application; reads DB_PATH, LAB_URL, ANCHOR_URL, AUDIT_KEY and LOG_KEY. write: takes records."""
    store = Store(os.environ["DB_PATH"])
    lab = laboratory.connected(os.environ["LAB_URL"])
    audit = auditing.AuditLog(audit_path)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        loop, heads = asyncio.get_running_loop(), asyncio.Queue()
        audit.on_head = lambda head: loop.call_soon_threadsafe(heads.put_nowait, head)
        sender = loop.create_task(auditing.send_heads(heads, os.environ["ANCHOR_URL"], write))
        yield
        await auditing.close(audit, heads, sender)

    app = FastAPI(title="readmission risk", openapi_url=None, lifespan=lifespan)
    app.add_middleware(journal, write=write)
    app.add_exception_handler(HTTPException, no_such_route)
    app.add_exception_handler(RequestValidationError, invalid)

    @app.get("/health")
    def health():
        return {"status": "ok"}

    @app.get("/metrics")
    def show_metrics():
        return PlainTextResponse(metrics.text())

    @app.post("/patients", status_code=201)
    def create(body: bytes = Depends(raw_body), visit: Visit = Depends(this_visit)):
        patient = parsed(body, schemas.Patient, Code.INVALID_PATIENT)
        try:
            store.add(patient, record=lambda: audit.record(visit, "C", [patient.id]))
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            raise Failure(Code.DUPLICATE_PATIENT if twice else Code.CONSTRAINT_FAILED) from error
        visit.concerns(patient.id)
        return {"id": patient.id}

    @app.get("/patients/{id}")
    def read(id: str, visit: Visit = Depends(this_visit)):
        patient = known(store, visit, id)
        audit.record(visit, "R", [patient.id])
        return patient.model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    def search(family: str | None = None, birthDate: str | None = None, visit: Visit = Depends(this_visit)):
        try:
            born = None if birthDate is None else date.fromisoformat(birthDate)
        except ValueError as error:
            raise Failure(Code.INVALID_QUERY) from error
        found = store.search(family, born)
        audit.record(visit, "R", found)
        if len(found) == 1:
            visit.concerns(found[0])
        return {"ids": found}

    @app.post("/predict")
    def predict(body: bytes = Depends(raw_body), visit: Visit = Depends(this_visit)):
        given = parsed(body, schemas.PredictInput, Code.INVALID_INPUT)
        patient = known(store, visit, given.patient)
        # The laboratory is told a number: not if nobody may be told anything.
        audit.open()
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(lab, visit, patient.mrn)
        risk = float(model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0])
        audit.record(visit, "E", [patient.id])
        visit.tell(Prediction(visit.request_id, Version(model.VERSION), visit.patient_ref))
        return {"risk": risk, "model_version": model.VERSION}

    @app.post("/bundle")
    def bundle(body: bytes = Depends(raw_body)):
        try:
            return {"patients": schemas.patients_of_bundle(body)}
        except ValueError as error:
            raise Failure(Code.INVALID_BUNDLE) from error

    @app.post("/batch")
    def batch(body: bytes = Depends(raw_body)):
        try:
            return {"risks": model.batch_risks(body)}
        except (ValueError, KeyError) as error:
            raise Failure(Code.INVALID_BATCH) from error

    @app.post("/label")
    def label(body: bytes = Depends(raw_body), visit: Visit = Depends(this_visit)):
        patient = known(store, visit, parsed(body, schemas.LabelInput, Code.INVALID_INPUT).patient)
        audit.open()
        try:
            labels.print_label(patient)
        except subprocess.CalledProcessError as error:
            raise Failure(Code.LABEL_FAILED) from error
        audit.record(visit, "R", [patient.id])
        return {"label": "printed"}

    @app.post("/notify")
    def notify(body: bytes = Depends(raw_body), visit: Visit = Depends(this_visit)):
        given = parsed(body, schemas.NotifyInput, Code.INVALID_INPUT)
        patient = known(store, visit, given.patient)
        audit.record(visit, "R", [patient.id])
        return JSONResponse({"accepted": True}, 202, background=background.delivery(given.message, given.how))

    return app


async def no_such_route(request, error):
    raise Failure(Code.METHOD_NOT_ALLOWED if error.status_code == 405 else Code.NOT_FOUND) from error


async def invalid(request, error):
    raise Failure(Code.INVALID_INPUT) from error
