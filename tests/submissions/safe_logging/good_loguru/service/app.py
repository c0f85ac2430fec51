"""The routes. They raise whatever happens; answers.py says what that means to the caller."""

import contextlib
import json
import os
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse
from loguru import logger
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from . import background, journal, labels, metrics, model, schemas
from .audit import Clerk, Ledger
from .journal import tell
from .laboratory import Laboratory
from .store import Store
from .visit import Visit, VisitRoute, astray

router = APIRouter(route_class=VisitRoute, redirect_slashes=False)


async def visit_of(request: Request):
    return Visit.of(request)


async def clerk_of(request: Request):
    visit = Visit.of(request)
    return Clerk(request.app.state.ledger, visit.user, visit.site)


async def store_of(request: Request):
    return request.app.state.store


async def laboratory_of(request: Request):
    return request.app.state.laboratory


async def raw_body(request: Request):
    return await request.body()


def body_of(schema):
    """The dependency on a body of this schema. FastAPI's own would raise errors that hold the body."""

    async def parsed(request: Request):
        return schema.model_validate(json.loads(await request.body()))

    return Depends(parsed)


AVisit = Annotated[Visit, Depends(visit_of)]
AClerk = Annotated[Clerk, Depends(clerk_of)]
AStore = Annotated[Store, Depends(store_of)]
ALaboratory = Annotated[Laboratory, Depends(laboratory_of)]
Body = Annotated[bytes, Depends(raw_body)]


def known(patient_id, store, clerk, visit):
    """The patient whom the visit is about. Raises UnknownPatient; AuditUnavailable before anything is looked up."""
    clerk.ledger.ready()
    patient = store.get(patient_id)
    visit.concerns(patient.id)
    return patient


@router.get("/health")
def health():
    return {"status": "ok"}


@router.get("/metrics")
def show_metrics():
    return PlainTextResponse(metrics.text())


@router.post("/patients", status_code=201)
def create(store: AStore, clerk: AClerk, visit: AVisit, patient: schemas.Patient = body_of(schemas.Patient)):
    store.add(patient, record=lambda: clerk.accessed("create", patient.id))
    visit.concerns(patient.id)
    return {"id": patient.id}


@router.get("/patients/{id}")
def read(id: str, store: AStore, clerk: AClerk, visit: AVisit):
    patient = known(id, store, clerk, visit)
    clerk.accessed("read", patient.id)
    return patient.model_dump(mode="json", by_alias=True)


@router.get("/patients")
def search(store: AStore, clerk: AClerk, visit: AVisit, family: str | None = None, birthDate: str | None = None):
    found = store.search(family, None if birthDate is None else date.fromisoformat(birthDate))
    clerk.accessed("search", *found)
    if len(found) == 1:
        visit.concerns(found[0])
    return {"ids": found}


@router.post("/predict")
def predict(
    store: AStore,
    clerk: AClerk,
    visit: AVisit,
    laboratory: ALaboratory,
    given: schemas.PredictInput = body_of(schemas.PredictInput),
):
    patient = known(given.patient, store, clerk, visit)
    creatinine = given.labs.creatinine
    if creatinine is None:
        creatinine = laboratory.creatinine(patient.mrn, visit.request_id, visit.log)
    risk = float(model.risks([[given.age, creatinine, given.labs.haemoglobin, given.labs.sodium]])[0])
    clerk.accessed("predict", patient.id)
    tell(visit.log, "prediction", model_version=model.VERSION)
    return {"risk": risk, "model_version": model.VERSION}


@router.post("/bundle")
def bundle(body: Body):
    return {"patients": schemas.patients_of_bundle(body)}


@router.post("/batch")
def batch(body: Body):
    return {"risks": model.batch_risks(body)}


@router.post("/label")
def label(store: AStore, clerk: AClerk, visit: AVisit, given: schemas.LabelInput = body_of(schemas.LabelInput)):
    patient = known(given.patient, store, clerk, visit)
    labels.print_label(patient)
    clerk.accessed("label", patient.id)
    return {"label": "printed"}


@router.post("/notify", status_code=202)
async def notify(
    store: AStore, clerk: AClerk, visit: AVisit, given: schemas.NotifyInput = body_of(schemas.NotifyInput)
):
    patient = await run_in_threadpool(known, given.patient, store, clerk, visit)
    await run_in_threadpool(clerk.accessed, "notify", patient.id)
    background.start(patient, given.message, given.how, visit.log)
    return {"accepted": True}


@contextlib.asynccontextmanager
async def lifespan(app):
    journal.watch_this_loop()
    tell(logger, "startup", model_version=model.VERSION)
    yield
    await run_in_threadpool(app.state.ledger.close)


def make_app(audit_path):
    """The application; reads DB_PATH, LAB_URL, ANCHOR_URL, ANCHOR_EVERY, AUDIT_KEY and LOG_KEY."""
    # No pages about the interface, no redirects: neither would be a visit.
    app = FastAPI(title="readmission risk", lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    app.state.store = Store(os.environ["DB_PATH"])
    app.state.laboratory = Laboratory(os.environ["LAB_URL"])
    every = int(os.environ.get("ANCHOR_EVERY", "20"))
    app.state.ledger = Ledger(audit_path, os.environ["AUDIT_KEY"], os.environ["ANCHOR_URL"], every)
    app.include_router(router)
    app.add_exception_handler(HTTPException, astray)
    app.add_exception_handler(Exception, astray)
    return app
