"""Requests to a risk service as a day brings them: ordinary ones and what goes wrong, each about another person."""

# ruff: noqa: D103 - a maker is named after the kind it makes

from __future__ import annotations

import base64
import hashlib
import json
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from synthetic_data.log_writer import SITES, Asked, Writer, risk_of

LAB_ATTEMPTS = 3
# The laboratory's answers are late by so much when it hangs, and by so much when somebody loses patience.
HANGS_S, SLOW_S, PATIENCE_S = 0.8, 0.35, 0.1
AT_ONCE = 16  # requests of a concurrent burst
HUGE = 200_000  # characters of a note
FORGED = '\r\n{"event": "request", "level": "INFO", "request_id": "%s", "route": "/forged", "status": 200}'
OK, BUSY = {"status": 200}, {"status": 503, "body": "busy"}
HANGS = {"status": 200, "delay_s": HANGS_S}


def create(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    yield w.post("create", "/patients", body, person, 201, access="C", found=True)


def read(w: Writer) -> Iterator[Asked]:
    person, body = w.known()
    yield reading(w, "read", person, body)


def reading(w: Writer, kind: str, person: int, body: Mapping[str, str], **more: Any) -> Asked:
    path = f"/patients/{body['id']}"
    return w.ask(kind, "/patients/{id}", person, 200, path=path, access="R", found=True, **more)


def search_by_name(w: Writer) -> Iterator[Asked]:
    person, body = w.known()
    query = urllib.parse.urlencode({"family": body["family"], "birthDate": body["birthDate"]})
    yield w.ask(
        "search_by_name", "/patients", person, 200, path=f"/patients?{query}", access="R", found=True, ref=False
    )


def search_in_vain(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    query = urllib.parse.urlencode({"family": body["family"]})
    yield w.ask("search_by_name", "/patients", person, 200, path=f"/patients?{query}", access="R")


def predict(w: Writer) -> Iterator[Asked]:
    yield w.predict("predict")


def predict_lab(w: Writer) -> Iterator[Asked]:
    yield w.predict("predict_lab", [OK])


def health(w: Writer) -> Iterator[Asked]:
    yield w.ask("health", "/health", -1, 200)


def metrics(w: Writer) -> Iterator[Asked]:
    yield w.ask("metrics", "/metrics", -1, 200)


def fhir(body: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A Bundle of one FHIR R4 Patient."""
    name = [{"family": body["family"], "given": [body["given"]]}]
    patient = {"resourceType": "Patient", "id": body["id"], "name": name, "birthDate": body["birthDate"]}
    patient["telecom"] = [{"system": "phone", "value": body["phone"]}]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient | changes}]}


def bundle(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    yield w.post("bundle", "/bundle", fhir(body), person, 200)


def bundle_invalid(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    wrong = fhir(body, birthDate=f"x{body['birthDate']}", gender={"x": body["family"]}, **{body["given"]: 1})
    yield w.post("bundle_invalid", "/bundle", wrong, person, 422, "invalid_bundle")


COLUMNS = "id,age,creatinine,haemoglobin,sodium"


def batch(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    text = f"{COLUMNS}\n{body['id']},71,1.4,11.2,137\n"
    risk = risk_of(71, 1.4, 11.2, 137)
    yield w.ask("batch", "/batch", person, 200, method="POST", body=text, mime="text/csv", risk=risk)


def batch_invalid(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    text = f"{COLUMNS}\n{body['id']},{body['family']},1.4,11.2,137\n"
    yield w.ask("batch_invalid", "/batch", person, 422, "invalid_batch", method="POST", body=text, mime="text/csv")


def batch_missing_column(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    text = f"id,age,creatinine,haemoglobin,{body['family']}\n{body['id']},71,1.4,11.2,137\n"
    yield w.ask(
        "batch_missing_column", "/batch", person, 422, "invalid_batch", method="POST", body=text, mime="text/csv"
    )


def label(w: Writer) -> Iterator[Asked]:
    person, body = w.known()
    yield w.post("label", "/label", {"patient": body["id"]}, person, 200, access="R", found=True)


def label_fails(w: Writer) -> Iterator[Asked]:
    person, body = w.known(family=w.people[w.used].family + "ł")
    yield w.post("label_fails", "/label", {"patient": body["id"]}, person, 500, "label_failed", ref=True)


def notified(w: Writer, kind: str, how: str, message: str, background: str) -> Asked:
    person, body = w.known()
    said = {"patient": body["id"], "message": message or w.people[person].note, "how": how}
    more: dict[str, Any] = {"access": "R", "found": True, "background": background}
    return w.post(kind, "/notify", said | ({"message": " "} if background else {}), person, 202, **more)


def notify(w: Writer) -> Iterator[Asked]:
    yield notified(w, "notify", "task", "", "")
    yield notified(w, "notify", "thread", "", "")


def notify_task_fails(w: Writer) -> Iterator[Asked]:
    yield notified(w, "notify_task_fails", "task", " ", "notify_failed")


def notify_thread_fails(w: Writer) -> Iterator[Asked]:
    yield notified(w, "notify_thread_fails", "thread", " ", "notify_failed")


def malformed_json(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    text = json.dumps(body)[:-1]
    yield w.ask("malformed_json", "/patients", person, 400, "malformed_json", method="POST", body=text)


def missing_field(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    del body["ssn"]
    yield w.post("missing_field", "/patients", body, person, 422, "invalid_patient")


def wrong_type(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    wrong = {**body, "email": {"work": body["email"]}}
    yield w.post("wrong_type", "/patients", wrong, person, 422, "invalid_patient")


def wrong_number(w: Writer) -> Iterator[Asked]:
    person, body = w.known()
    wrong = {"patient": body["id"], "age": body["family"], "labs": {"haemoglobin": 11, "sodium": 140}, "note": ""}
    yield w.post("wrong_type", "/predict", wrong, person, 422, "invalid_input")


def validator_text(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    # A number that is none, but still the person's.
    yield w.post("validator_text", "/patients", body | {"mrn": f"{body['mrn']}/A"}, person, 422, "invalid_patient")


def old_client(w: Writer) -> Iterator[Asked]:
    """Its request ids are the MD5 of the patient's number: they look like any other."""
    person, body = w.known()
    rid = hashlib.md5(body["mrn"].encode(), usedforsecurity=False).hexdigest()
    yield predicting(w, "old_client", person, body, {"X-Request-ID": rid})


def predicting(w: Writer, kind: str, person: int, body: Mapping[str, str], headers: Mapping[str, str]) -> Asked:
    # With nothing else in it that could be logged, and a short note.
    return w.predicted(kind, person, body["id"], note="-", headers=headers)


def unknown_path(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    yield w.ask("unknown_path", "", person, 404, "not_found", path=f"/patients/{body['id']}/{body['family']}")


def session_id(w: Writer) -> Iterator[Asked]:
    """Its request ids say whose session it is, to whoever decodes them."""
    person, body = w.known()
    whose = json.dumps({"user": body["email"], "number": w.count}).encode()
    rid = base64.urlsafe_b64encode(whose).decode().rstrip("=")
    yield predicting(w, "session_id", person, body, {"X-Request-ID": rid})


def portal(w: Writer) -> Iterator[Asked]:
    """Patients who look at their own risk."""
    person, body = w.known()
    yield predicting(w, "portal", person, body, {"X-User": f"{body['given']}.{body['family']}".lower()})


def ward(w: Writer) -> Iterator[Asked]:
    """Somebody put more into the site than there should be."""
    person, body = w.known()
    where = f"{SITES[0]}, ward 4, {body['given']} {body['family']}"
    yield predicting(w, "ward", person, body, {"X-Site": where})


def unknown_key(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    yield w.post("unknown_key", "/patients", body | {body["family"]: "x"}, person, 422, "invalid_patient")


def duplicate(w: Writer) -> Iterator[Asked]:
    _, first = w.known()
    person, body = w.someone(mrn=first["mrn"])
    yield w.post("duplicate", "/patients", body, person, 409, "duplicate_patient")


def constraint(w: Writer) -> Iterator[Asked]:
    person, body = w.someone(sex="f")
    yield w.post("constraint", "/patients", body, person, 422, "constraint_failed")


def unknown_patient(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    path = f"/patients/{body['id']}"
    yield w.ask("unknown_patient", "/patients/{id}", person, 404, "unknown_patient", path=path)
    person, body = w.someone()
    yield w.post("unknown_patient", "/label", {"patient": body["id"]}, person, 404, "unknown_patient")


def bad_query(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    query = urllib.parse.urlencode({"family": body["family"], "birthDate": f"{body['birthDate']}x"})
    yield w.ask("bad_query", "/patients", person, 422, "invalid_query", path=f"/patients?{query}")


def lab_timeout(w: Writer) -> Iterator[Asked]:
    # Late ones come at once, as they would.
    w.groups += 1
    for _ in range(2):
        calls = [0] * LAB_ATTEMPTS
        yield w.predict("lab_timeout", [HANGS], status=504, code="lab_timeout", calls=calls, group=w.groups)


def lab_retry(w: Writer) -> Iterator[Asked]:
    yield w.predict("lab_retry", [BUSY, OK], calls=[503, 200])


def lab_down(w: Writer) -> Iterator[Asked]:
    yield w.predict("lab_down", [BUSY], status=502, code="lab_failed", calls=[503] * LAB_ATTEMPTS)


def lab_error(w: Writer) -> Iterator[Asked]:
    reply = {"status": 500, "body": f"no results for {w.people[w.used].mrn}"}
    yield w.predict("lab_error", [reply], status=502, code="lab_failed", calls=[500])


def lab_garbled(w: Writer) -> Iterator[Asked]:
    reply = {"status": 200, "body": f"<html>{w.people[w.used].mrn} {w.people[w.used].family}</html>"}
    yield w.predict("lab_garbled", [reply], status=502, code="lab_garbled", calls=[200])


def crlf(w: Writer) -> Iterator[Asked]:
    person, body = w.known(family=w.people[w.used].family + FORGED % "forged")
    # A folded header: the service may see blanks.
    yield reading(w, "crlf", person, body, user=FORGED.replace("\n", "\n ") % "forged")
    person, body = w.known(given=w.people[w.used].given + FORGED % "forged")
    yield w.predicted("crlf", person, body["id"], [OK])


def ansi(w: Writer) -> Iterator[Asked]:
    person, body = w.known(given="\x1b[2J\x1b[31m" + w.people[w.used].given)
    yield reading(w, "ansi", person, body)
    yield w.predicted("ansi", person, body["id"], note="\x1b]0;" + w.people[person].note)


def charset(w: Writer) -> Iterator[Asked]:
    person, body = w.someone()
    body["family"] += "é"
    data = json.dumps(body, ensure_ascii=False).encode("latin-1")
    yield w.ask("charset", "/patients", person, 400, "malformed_json", method="POST", body=data)


def huge(w: Writer) -> Iterator[Asked]:
    person, body = w.known()
    note = (w.people[person].note + " ") * (HUGE // len(w.people[person].note))
    yield w.predicted("huge", person, body["id"], note=note)


def cancelled(w: Writer) -> Iterator[Asked]:
    reply = {"status": 200, "delay_s": SLOW_S}
    yield w.predict("cancelled", [reply], status=499, hang_up_s=PATIENCE_S)


def concurrent(w: Writer) -> Iterator[Asked]:
    w.groups += 1
    for number in range(AT_ONCE):
        reply = {"status": 200, "delay_s": 0.02 * (number * 7 % AT_ONCE)}
        yield w.predict("concurrent", [reply], group=w.groups)


def blocked(w: Writer, known: Sequence[tuple[int, Mapping[str, str]]]) -> Iterator[Asked]:
    """While no log can be written: nobody's data are taken or given, and what concerns nobody goes on.

    known: five who are registered.
    """
    no: dict[str, Any] = {"status": 503, "code": "audit_unavailable"}
    yield w.ask("blocked", "/health", -1, 200)
    person, body = w.someone()
    yield w.post("blocked", "/patients", body, person, **no)
    read, found, scored, labelled, told = known
    yield w.ask("blocked", "/patients/{id}", read[0], path=f"/patients/{read[1]['id']}", **no)
    query = urllib.parse.urlencode({"family": found[1]["family"]})
    yield w.ask("blocked", "/patients", found[0], path=f"/patients?{query}", **no)
    yield w.predicted("blocked", scored[0], scored[1]["id"], **no)
    yield w.post("blocked", "/label", {"patient": labelled[1]["id"]}, labelled[0], **no)
    said = {"patient": told[1]["id"], "message": w.people[told[0]].note, "how": "task"}
    yield w.post("blocked", "/notify", said, told[0], **no)
    yield w.ask("blocked", "/health", -1, 200)


# What may come, and how often for each unit of `each`: those that are made of many requests come once a play.
KINDS: Mapping[str, tuple[Callable[[Writer], Iterator[Asked]], ...]] = {
    "create": (create,),
    "read": (read,),
    "search_by_name": (search_by_name, search_in_vain),
    "predict": (predict,),
    "predict_lab": (predict_lab,),
    "health": (health,),
    "metrics": (metrics,),
    "bundle": (bundle,),
    "batch": (batch,),
    "label": (label,),
    "notify": (notify,),
    "malformed_json": (malformed_json,),
    "missing_field": (missing_field,),
    "wrong_type": (wrong_type, wrong_number),
    "validator_text": (validator_text,),
    "unknown_key": (unknown_key,),
    "duplicate": (duplicate,),
    "constraint": (constraint,),
    "unknown_patient": (unknown_patient,),
    "bad_query": (bad_query,),
    "unknown_path": (unknown_path,),
    "old_client": (old_client,),
    "lab_timeout": (lab_timeout,),
    "lab_retry": (lab_retry,),
    "lab_down": (lab_down,),
    "lab_error": (lab_error,),
    "lab_garbled": (lab_garbled,),
    "bundle_invalid": (bundle_invalid,),
    "batch_invalid": (batch_invalid,),
    "batch_missing_column": (batch_missing_column,),
    "label_fails": (label_fails,),
    "notify_task_fails": (notify_task_fails,),
    "notify_thread_fails": (notify_thread_fails,),
    "crlf": (crlf,),
    "ansi": (ansi,),
    "charset": (charset,),
    "huge": (huge,),
    "cancelled": (cancelled,),
    "concurrent": (concurrent,),
}
ONCE = ("concurrent", "huge")
# What practice does not show: callers whom nobody told about.
RESERVE: Mapping[str, tuple[Callable[[Writer], Iterator[Asked]], ...]] = {
    "session_id": (session_id,),
    "portal": (portal,),
    "ward": (ward,),
}
# Requests whose X-User is no practitioner: kind -> route.
ODD_USERS = {"crlf": "/patients/{id}", "portal": "/predict"}


def planned(writer: Writer, each: int, *, reserve: bool) -> list[Asked]:
    """The requests of one play in a drawn order, but for the registrations that must come first, in writer.setup.

    each: how often every kind comes.  reserve: whether those of RESERVE come too.
    The failures of the laboratory come on end, as outages do; what belongs to one group stays together.
    """
    units: list[list[Asked]] = []
    outage: list[Asked] = []
    for kind, makers in {**KINDS, **(RESERVE if reserve else {})}.items():
        for make in makers:
            for _ in range(1 if kind in ONCE else each):
                made = list(make(writer))
                if kind == "lab_down":
                    outage += made
                elif made[0].group >= 0:
                    units.append(made)
                else:
                    units += [[one] for one in made]
    units.append(outage)
    order = writer.seed.stream(f"order/{writer.name}").permutation(len(units)).tolist()
    return [one for k in order for one in units[k]]
