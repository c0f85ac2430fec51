"""The routes. Endpoints run in the loop; what blocks is sent to a thread, with a copy of what is bound."""

import contextlib
import json
import os
import subprocess
from datetime import date

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from structlog.contextvars import bind_contextvars

from . import background, failures, labels, metrics, model, schemas, telemetry
from .audit import Trail
from .failures import Refusal, refusing
from .gate import Gate
from .laboratory import Laboratory
from .reference import patient_ref
from .store import Store
from .telemetry import log


def make_app(audit_path):
    """The application; reads DB_PATH, LAB_URL, ANCHOR_URL, ANCHOR_EVERY, AUDIT_KEY and LOG_KEY."""
    store = Store(os.environ["DB_PATH"])
    laboratory = Laboratory(os.environ["LAB_URL"])
    every = int(os.environ.get("ANCHOR_EVERY", "20"))
    trail = Trail(audit_path, os.environ["AUDIT_KEY"], os.environ["ANCHOR_URL"], every)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        telemetry.watch_this_loop()
        log.info("startup", model_version=model.VERSION)
        async with trail.anchored():
            yield
        await laboratory.close()

    # Pages about the interface, and redirects that repeat the address, are not in the contract.
    app = FastAPI(title="readmission risk", lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    app.add_middleware(Gate)
    failures.install(app)

    async def known(patient_id):
        """The patient, whose reference all lines bear from here on. Raises Refusal."""
        # Not even looked at, if the access could not be recorded.
        await run_in_threadpool(trail.check)
        with refusing(KeyError, status=404, code="unknown_patient"):
            patient = await run_in_threadpool(store.get, patient_id)
        bind_contextvars(patient_ref=patient_ref(patient.id))
        return patient

    async def accessed(interaction, action, ids):
        await run_in_threadpool(trail.access, interaction, action, ids)

    @app.get("/health")
    async def health():
        return {"status": "ok"}

    @app.get("/metrics")
    async def show_metrics():
        return PlainTextResponse(metrics.text())

    @app.post("/patients", status_code=201)
    async def create(request: Request):
        patient = await parsed(request, schemas.Patient, "invalid_patient")
        try:
            await run_in_threadpool(store.add, patient, lambda: trail.access("create", "C", [patient.id]))
        except IntegrityError as error:
            twice = "UNIQUE" in str(error.orig)
            raise Refusal(*(409, "duplicate_patient") if twice else (422, "constraint_failed")) from error
        bind_contextvars(patient_ref=patient_ref(patient.id))
        return {"id": patient.id}

    @app.get("/patients/{id}")
    async def read(id: str):
        patient = await known(id)
        await accessed("read", "R", [patient.id])
        return patient.model_dump(mode="json", by_alias=True)

    @app.get("/patients")
    async def search(family: str | None = None, birthDate: str | None = None):
        with refusing(ValueError, status=422, code="invalid_query"):
            born = None if birthDate is None else date.fromisoformat(birthDate)
        found = await run_in_threadpool(store.search, family, born)
        await accessed("search", "R", found)
        if len(found) == 1:
            bind_contextvars(patient_ref=patient_ref(found[0]))
        return {"ids": found}

    @app.post("/predict")
    async def predict(request: Request):
        given = await parsed(request, schemas.PredictInput, "invalid_input")
        patient = await known(given.patient)
        creatinine = given.labs.creatinine
        if creatinine is None:
            creatinine = await laboratory.creatinine(patient.mrn)
        risk = float(model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0])
        await accessed("operation", "E", [patient.id])
        log.info("prediction", model_version=model.VERSION)
        return {"risk": risk, "model_version": model.VERSION}

    @app.post("/bundle")
    async def bundle(request: Request):
        with refusing(ValueError, status=422, code="invalid_bundle"):
            return {"patients": await run_in_threadpool(schemas.patients_of_bundle, await request.body())}

    @app.post("/batch")
    async def batch(request: Request):
        with refusing(ValueError, KeyError, status=422, code="invalid_batch"):
            return {"risks": await run_in_threadpool(model.batch_risks, await request.body())}

    @app.post("/label")
    async def label(request: Request):
        patient = await known((await parsed(request, schemas.LabelInput, "invalid_input")).patient)
        with refusing(subprocess.CalledProcessError, status=500, code="label_failed"):
            await run_in_threadpool(labels.print_label, patient)
        await accessed("operation", "R", [patient.id])
        return {"label": "printed"}

    @app.post("/notify", status_code=202)
    async def notify(request: Request):
        given = await parsed(request, schemas.NotifyInput, "invalid_input")
        patient = await known(given.patient)
        await accessed("operation", "R", [patient.id])
        background.start(patient, given.message, given.how)
        return {"accepted": True}

    return app


async def parsed(request, schema, code):
    """The body as this schema. Raises Refusal. Not left to FastAPI, whose errors come from no line of ours."""
    body = await request.body()
    with refusing(ValidationError, status=422, code=code):
        with refusing(UnicodeDecodeError, json.JSONDecodeError, RecursionError, status=400, code="malformed_json"):
            value = json.loads(body)
        return schema.model_validate(value)
