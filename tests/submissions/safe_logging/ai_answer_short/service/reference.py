"""A patient's name in the application log (supplied)."""

import hashlib
import hmac
import os


def patient_ref(patient_id, key=None):
    """16 hex digits, the same for the same patient; without LOG_KEY nobody can tell whose they are."""
    key = os.environ["LOG_KEY"] if key is None else key
    return hmac.new(key.encode(), patient_id.encode(), hashlib.sha256).hexdigest()[:16]
