"""Invented patients with exact ground truth: messy EHR tables, notes and FHIR."""
