"""What callers send."""

import re
from datetime import date

from fhir.resources.R4B.bundle import Bundle
from pydantic import BaseModel, ConfigDict, Field, field_validator


class Input(BaseModel):
    """A JSON body; keys that nobody knows are an error."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, hide_input_in_errors=True)


class Patient(Input):
    """A patient as the registration desk sends it; `sex` and old birth dates are left to the database."""

    id: str = Field(pattern=r"^p-[0-9a-f]{4,32}$")
    mrn: str
    family: str
    given: str
    birth_date: date = Field(alias="birthDate")
    sex: str
    phone: str
    email: str
    address: str
    ssn: str

    @field_validator("mrn")
    @classmethod
    def mrn_has_eight_digits(cls, value):
        if not re.fullmatch("MRN[0-9]{8}", value):
            raise ValueError("not a medical record number")
        return value

    @field_validator("birth_date")
    @classmethod
    def birth_date_is_past(cls, value):
        if value > date.today():
            raise ValueError("a birth date in the future")
        return value


class Labs(Input):
    """Latest results: mg/dl, g/dl, mmol/l. Without creatinine the laboratory is asked."""

    creatinine: float | None = Field(None, gt=0, lt=50)
    haemoglobin: float = Field(gt=0, lt=30)
    sodium: float = Field(gt=80, lt=220)


class PredictInput(Input):
    patient: str
    age: float = Field(ge=0, le=130)
    labs: Labs
    note: str = ""


class LabelInput(Input):
    patient: str


class NotifyInput(Input):
    patient: str
    message: str
    how: str = Field(pattern="^(task|thread)$")


def patients_of_bundle(body):
    """How many patients a FHIR R4 Bundle (bytes) holds. Raises ValueError."""
    bundle = Bundle.model_validate_json(body)
    resources = [entry.resource for entry in bundle.entry or []]
    for resource in resources:
        if resource is None or resource.get_resource_type() != "Patient":
            raise ValueError("not a patient")
    return len(resources)
