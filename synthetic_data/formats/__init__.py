"""How a data set is written: CSV, notes as JSON lines, FHIR R4 as NDJSON."""
