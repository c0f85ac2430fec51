"""One request from beginning to end: who asks, its logger, its line, and its answer when it fails."""

import hashlib
import hmac
import os
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from fastapi.routing import APIRoute
from loguru import logger
from starlette.exceptions import HTTPException

from . import metrics
from .answers import answer, meaning
from .journal import tell
from .reference import patient_ref

SITES = ("north", "south", "east", "west")
USER = re.compile(r"prac-[0-9]+")
HUNG_UP = 499


@dataclass
class Visit:
    """Kept in request.state. `log` is handed on to whatever works for the request, wherever that runs."""

    request_id: str
    user: str
    site: str | None
    log: Any
    patient_ref: str | None = None
    error_code: str | None = None
    began: float = field(default_factory=time.perf_counter)

    @classmethod
    def of(cls, request):
        """The visit of a request; begins it at the first call. Headers of another form than they should are left."""
        if not hasattr(request.state, "visit"):
            given = request.headers
            request_id = stand_in(given.get("X-Request-ID"))
            user = well_formed(given.get("X-User"), USER) or "unknown"
            site = given.get("X-Site") if given.get("X-Site") in SITES else None
            request.state.visit = cls(request_id, user, site, logger.bind(request_id=request_id))
        return request.state.visit

    def concerns(self, patient_id):
        """From now on this visit is about this patient."""
        self.patient_ref = patient_ref(patient_id)
        self.log = self.log.bind(patient_ref=self.patient_ref)

    def refuse(self, error, route):
        """The answer to an exception, which is logged."""
        fate = meaning(error, route)
        self.error_code = fate.code
        if not isinstance(error, HTTPException):
            level = "ERROR" if fate.status >= 500 else "WARNING"
            self.log.bind(event="error", error_code=fate.code).opt(exception=error).log(level, "")
        return answer(fate.status, fate.code, self.request_id)

    def close(self, response, route, hung_up=False):
        """Count and log the request; its answer is complete with this."""
        status = HUNG_UP if hung_up else response.status_code
        response.headers["X-Request-ID"] = self.request_id
        metrics.count("requests_total", route=route, status=status)
        tell(
            self.log,
            "request",
            "ERROR" if status >= 500 else "INFO",
            route=route,
            status=status,
            ms=round((time.perf_counter() - self.began) * 1000, 1),
            site=self.site,
            error_code=self.error_code,
        )
        return response


def stand_in(given):
    """An id in place of the caller's, which may be made of anything: whoever has that and the key can work it out."""
    if not given:
        return uuid.uuid4().hex
    return hmac.new(os.environ["LOG_KEY"].encode(), given.encode(), hashlib.sha256).hexdigest()[:32]


def well_formed(text, form):
    return text if text and form.fullmatch(text) else None


class VisitRoute(APIRoute):
    """A route whose requests are visits. Its path is the template: what stands in the address is not known here."""

    def get_route_handler(self):
        handle = super().get_route_handler()

        async def handle_visit(request):
            visit = Visit.of(request)
            try:
                response = await handle(request)
            except Exception as error:
                response = visit.refuse(error, f"{request.method} {self.path}")
            return visit.close(response, self.path, hung_up=await request.is_disconnected())

        return handle_visit


async def astray(request, error):
    """For what no route took: an unknown address or method, and what should fail outside of all routes."""
    visit = Visit.of(request)
    return visit.close(visit.refuse(error, ""), getattr(request.scope.get("route"), "path", "unmatched"))
