"""One request to a risk service, and what the contract says comes of it; each is about another person."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synthetic_data.log_people import Person
from synthetic_data.streams import Seed

SITES = ("north", "south", "east", "west")
USERS = 12
VERSION = "readmission-2.3.1"


@dataclass(frozen=True)
class Asked:
    """One request, and what the contract says comes of it.

    rid: its X-Request-ID.  kind: of log_workload.  route: the template, "" for a path that is none.  status, code: of
    the answer; "" where it is no error.
    person: index of whom it is about, -1 for nobody.  ref: whether it is about one known patient.  access: FHIR action
    C, R or E of the audit events that it asks for, and of how many patients (`found`); "" for none.  calls: status of
    each call of the laboratory, 0 for none in time.  risk: what /predict answers.  background: code of what fails
    after the answer.  sent: the request as Request.requests takes it.  group: those of one number belong together.
    """

    rid: str
    kind: str
    route: str
    status: int
    code: str
    person: int
    site: str
    user: str
    ref: bool
    access: str
    found: bool
    calls: tuple[int, ...]
    risk: float | None
    background: str
    sent: Mapping[str, Any] = field(repr=False)
    rules: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    group: int = -1


class Writer:
    """Makes requests. Everybody is used once, so that a trace of a person is a trace of one request (and its setup)."""

    def __init__(self, seed: Seed, people: Sequence[Person], name: str) -> None:
        self.seed, self.people, self.name = seed, people, name
        self.used = self.count = self.groups = 0
        self.setup: list[Asked] = []

    def someone(self, **changes: str) -> tuple[int, dict[str, str]]:
        """The next person, and the body of their registration."""
        index, self.used = self.used, self.used + 1
        return index, self.people[index].body | changes

    def known(self, **changes: str) -> tuple[int, dict[str, str]]:
        """The next person, registered in a request of its own beforehand."""
        index, body = self.someone(**changes)
        self.setup.append(self.post("create", "/patients", body, index, 201, access="C", found=True))
        return index, body

    def ask(
        self,
        kind: str,
        route: str,
        person: int,
        status: int,
        code: str = "",
        *,
        method: str = "GET",
        path: str = "",
        body: str | bytes | None = None,
        mime: str = "application/json",
        user: str = "",
        headers: Mapping[str, str] | None = None,
        access: str = "",
        found: bool = False,
        ref: bool | None = None,
        calls: Sequence[int] = (),
        replies: Sequence[Mapping[str, Any]] = (),
        risk: float | None = None,
        background: str = "",
        hang_up_s: float = 0,
        group: int = -1,
    ) -> Asked:
        """One request. replies: of the laboratory.  user: what its X-User ends in.  headers: in place of the usual."""
        draw = self.seed.stream(f"request/{self.name}")
        number, self.count = self.count, self.count + 1
        words = draw.words(number)
        rid = "".join(f"{int(word):08x}" for word in words.tolist())
        site = SITES[int(draw.choice(len(SITES), number, 1))]
        who = f"prac-{1 + int(draw.choice(USERS, number, 2))}"
        told = {"X-Request-ID": rid, "X-User": who + user, "X-Site": site, "Content-Type": mime} | dict(headers or {})
        # A site that is none is nobody's to count.
        rid, site = told["X-Request-ID"], site if told["X-Site"] == site else ""
        sent: dict[str, Any] = {"method": method, "path": path or route, "headers": told}
        if isinstance(body, bytes):
            sent["body64"] = base64.b64encode(body).decode()
        elif body is not None:
            sent["body"] = body
        if hang_up_s:
            sent["hang_up_s"] = hang_up_s
        if group >= 0:
            sent["group"] = group
        # The laboratory knows whom it is asked about; under which id is the service's business.
        rules = ({"path": rf"/.*{self.people[person].mrn}.*", "replies": list(replies)},) if replies else ()
        return Asked(
            rid, kind, route, status, code, person, site, who, bool(access) and found if ref is None else ref, access,
            found, tuple(calls), risk, background, sent, rules, group,
        )  # fmt: skip

    def post(self, kind: str, route: str, body: Any, person: int, status: int, code: str = "", **more: Any) -> Asked:
        """A POST of JSON."""
        text = json.dumps(body, ensure_ascii=False)
        return self.ask(kind, route, person, status, code, method="POST", body=text, **more)

    def predict(self, kind: str, lab: Sequence[Mapping[str, Any]] = (), **more: Any) -> Asked:
        """A POST /predict of a known person. lab: the laboratory's answers; without any it is not asked."""
        person, body = self.known()
        return self.predicted(kind, person, body["id"], lab, **more)

    def predicted(
        self, kind: str, person: int, patient: str, lab: Sequence[Mapping[str, Any]] = (), note: str = "", **more: Any
    ) -> Asked:
        """The same of this patient."""
        draw = self.seed.stream(f"values/{self.name}")
        age, creatinine, haemoglobin, sodium = (
            int(draw.integers(low, high, self.count, k))
            for k, (low, high) in enumerate(((40, 95), (6, 40), (80, 150), (128, 148)))
        )
        labs = {"haemoglobin": haemoglobin / 10, "sodium": sodium}
        replies: list[Mapping[str, Any]] = []
        if lab:
            replies = [
                {**reply, "body": json.dumps({"creatinine": creatinine / 10})} if "body" not in reply else reply
                for reply in lab
            ]
        else:
            labs["creatinine"] = creatinine / 10
        risk = None
        status = more.pop("status", 200)
        if status == 200:
            risk = risk_of(age, creatinine / 10, haemoglobin / 10, sodium)
        body = {"patient": patient, "age": age, "labs": labs, "note": note or self.people[person].note}
        # Patient data are read for each prediction that is given out.
        access = "E" if status == 200 else ""
        calls = more.pop("calls", [200] * bool(lab))
        more |= {"access": access, "found": True, "ref": True, "calls": calls, "replies": replies, "risk": risk}
        return self.post(kind, "/predict", body, person, status, **more)


def risk_of(age: float, creatinine: float, haemoglobin: float, sodium: float) -> float:
    """What the service's model says, 4 decimals."""
    logit = -3.2 + 0.03 * (age - 60) + 0.8 * (creatinine - 1) - 0.15 * (haemoglobin - 13) - 0.05 * (sodium - 139)
    return round(1 / (1 + math.exp(-logit)), 4)
