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
from starlette.requests import ClientDisconnect

from . import background, labels, metrics, model, schemas, telemetry, web
from .audit import AuditLog
from .laboratory import Laboratory
from .problems import Problem, turning
from .reference import patient_ref
from .store import Store
from .telemetry import note, span


async def json_body(request: Request):
    """What JSON the caller sent; FastAPI's own errors would repeat it."""
    with turning(ValueError, RecursionError, ClientDisconnect, into="malformed_json"):
        return json.loads(await request.body())


async def raw_body(request: Request):
    return await request.body()


def make_app(audit_path):
    """The application; reads DB_PATH, LAB_URL, ANCHOR_URL, AUDIT_KEY and LOG_KEY."""
    store = Store(os.environ["DB_PATH"])
    laboratory = Laboratory(os.environ["LAB_URL"])
    audit = AuditLog(audit_path, os.environ["AUDIT_KEY"], os.environ["ANCHOR_URL"])

    @contextlib.asynccontextmanager
    async def lifespan(app):
        telemetry.watch_loop()
        with span("startup", app__model_version=model.VERSION):
            pass
        yield
        await run_in_threadpool(audit.close)

    app = FastAPI(title="readmission risk", openapi_url=None, lifespan=lifespan)
    web.install(app)

    def known(patient_id):
        with turning(KeyError, into="unknown_patient"):
            patient = store.get(patient_id)
        note(app__patient_ref=patient_ref(patient.id))
        return patient

    @app.get("/health")
    def health():
        return {"status": "ok"}

    @app.get("/metrics")
    def show_metrics():
        return PlainTextResponse(metrics.text())

    @app.post("/patients", status_code=201)
    def create(body: object = Depends(json_body)):
        with turning(ValidationError, into="invalid_patient"):
            patient = schemas.Patient.model_validate(body)
        try:
            store.add(patient, record=lambda: audit.record("C", "create", [patient.id]))
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            raise Problem("duplicate_patient" if twice else "constraint_failed") from error
        note(app__patient_ref=patient_ref(patient.id))
        return {"id": patient.id}

    @app.get("/patients/{id}")
    def read(id: str):
        patient = known(id)
        audit.record("R", "read", [patient.id])
        return patient.model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    def search(family: str | None = None, birthDate: str | None = None):
        with turning(ValueError, into="invalid_query"):
            born = None if birthDate is None else date.fromisoformat(birthDate)
        found = store.search(family, born)
        audit.record("R", "search-type", found)
        if len(found) == 1:
            note(app__patient_ref=patient_ref(found[0]))
        return {"ids": found}

    @app.post("/predict")
    def predict(request: Request, body: object = Depends(json_body)):
        with turning(ValidationError, into="invalid_input"):
            given = schemas.PredictInput.model_validate(body)
        patient = known(given.patient)
        audit.must_be_open()
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = laboratory.creatinine(patient.mrn, request.state.request_id)
        risk = float(model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0])
        audit.record("E", "operation", [patient.id])
        with span("prediction", app__model_version=model.VERSION, app__patient_ref=patient_ref(patient.id)):
            return {"risk": risk, "model_version": model.VERSION}

    @app.post("/bundle")
    def bundle(body: bytes = Depends(raw_body)):
        with turning(ValueError, into="invalid_bundle"):
            return {"patients": schemas.patients_of_bundle(body)}

    @app.post("/batch")
    def batch(body: bytes = Depends(raw_body)):
        with turning(ValueError, KeyError, into="invalid_batch"):
            return {"risks": model.batch_risks(body)}

    @app.post("/label")
    def label(body: object = Depends(json_body)):
        with turning(ValidationError, into="invalid_input"):
            given = schemas.LabelInput.model_validate(body)
        patient = known(given.patient)
        audit.must_be_open()
        with turning(subprocess.CalledProcessError, into="label_failed"):
            labels.print_label(patient)
        audit.record("R", "operation", [patient.id])
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(body: object = Depends(json_body)):
        with turning(ValidationError, into="invalid_input"):
            given = schemas.NotifyInput.model_validate(body)
        patient = await run_in_threadpool(known, given.patient)
        await run_in_threadpool(audit.record, "R", "operation", [patient.id])
        background.start(patient, given.message, given.how)
        return {"accepted": True}

    return app
