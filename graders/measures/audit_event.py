"""Whether an object is an AuditEvent of FHIR R4; a model of all of FHIR takes too long for every line of a log."""

from __future__ import annotations

import re
from collections.abc import Mapping

# FHIR R4 types: key -> type, "*" for a list, "!" where it must be there. Of "any", only objects are asked.
_CODING = {"system": "text", "version": "text", "code": "code", "display": "text", "userSelected": "boolean"}
TYPES: Mapping[str, Mapping[str, str]] = {
    "AuditEvent": {
        "resourceType": "code!", "meta": "any", "implicitRules": "text", "language": "code", "text": "any",
        "contained": "any*", "type": "Coding!", "subtype": "Coding*", "action": "action", "period": "Period",
        "recorded": "instant!", "outcome": "outcome", "outcomeDesc": "text", "purposeOfEvent": "Concept*",
        "agent": "Agent*!", "source": "Source!", "entity": "Entity*",
    },
    "Agent": {
        "type": "Concept", "role": "Concept*", "who": "Reference", "altId": "text", "name": "text",
        "requestor": "boolean!", "location": "Reference", "policy": "text*", "media": "Coding", "network": "Network",
        "purposeOfUse": "Concept*",
    },
    "Source": {"site": "text", "observer": "Reference!", "type": "Coding*"},
    "Entity": {
        "what": "Reference", "type": "Coding", "role": "Coding", "lifecycle": "Coding", "securityLabel": "Coding*",
        "name": "text", "description": "text", "query": "text", "detail": "Detail*",
    },
    "Detail": {"type": "text!", "valueString": "text", "valueBase64Binary": "text"},
    "Network": {"address": "text", "type": "code"},
    "Coding": _CODING,
    "Concept": {"coding": "Coding*", "text": "text"},
    "Reference": {"reference": "text", "type": "text", "identifier": "any", "display": "text"},
    "Period": {"start": "text", "end": "text"},
}  # fmt: skip
_ANYWHERE = {"id": "text", "extension": "any*", "modifierExtension": "any*"}
_TEXTS = {
    "text": re.compile(r"\s*\S[\s\S]*"),
    "code": re.compile(r"\S+( \S+)*"),
    "action": re.compile("[CRUDE]"),
    "outcome": re.compile("0|4|8|12"),
    "instant": re.compile(
        r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
        r"(Z|[+-](0\d|1[0-4]):[0-5]\d)"
    ),
}


def valid(event: object, kind: str = "AuditEvent") -> bool:
    """Whether this is an AuditEvent (hl7.org/fhir/R4/auditevent.html): elements, types, what must be there."""
    if not isinstance(event, dict) or (kind == "AuditEvent" and event.get("resourceType") != kind):
        return False
    keys = {**TYPES[kind], **_ANYWHERE}
    if any(shape.endswith("!") and key not in event for key, shape in keys.items()):
        return False
    return all(
        key in keys and _is(value, keys[key].rstrip("!")) for key, value in event.items() if not key.startswith("_")
    )


def _is(value: object, shape: str) -> bool:
    if shape.endswith("*"):
        return isinstance(value, list) and bool(value) and all(_is(one, shape[:-1]) for one in value)
    if shape in _TEXTS:
        return isinstance(value, str) and _TEXTS[shape].fullmatch(value) is not None
    if shape == "boolean":
        return isinstance(value, bool)
    return isinstance(value, dict) if shape == "any" else valid(value, shape)
