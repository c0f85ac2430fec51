"""Batches as numbers, however a site writes them: decimal commas, blanks, ages of 90 and more, codes without dots."""


def plain(batch):
    """The batch with numbers for texts, None for what is missing, and codes with their dots."""
    values = {
        name: column if name == "diagnosis" else [number(v) for v in column] for name, column in batch["X"].items()
    }
    if "diagnosis" in values:
        values["diagnosis"] = [dotted(code) for code in values["diagnosis"]]
    return {**batch, "X": values}


def number(value):
    """A number, None where nothing was measured; what cannot be read stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return float(value.strip().rstrip("+").replace(",", ".")) if value.strip() else None
    except ValueError:
        return value


def dotted(code):
    """ICD codes have a dot after the third character; others are left alone."""
    if not isinstance(code, str) or "." in code or len(code) < 4 or not code[1:3].isdigit():
        return code
    if code[0] == "L" and len(code) == 4:
        return code
    return f"{code[:3]}.{code[3:]}"
