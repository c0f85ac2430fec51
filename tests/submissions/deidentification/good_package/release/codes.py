"""Keyed codes: HMAC-SHA256 under the release's key, one domain per kind of id."""

import base64
import hashlib
import hmac


class Codes:
    def __init__(self, key):
        try:
            self._key = bytes.fromhex(key)
        except ValueError:
            self._key = key.encode("utf-8")

    def _digest(self, domain, value):
        return hmac.new(self._key, f"{domain}\x00{value}".encode("utf-8"), hashlib.sha256).digest()

    def code(self, domain, value, letter=""):
        """A code of 80 bits; nothing of the value can be read from it."""
        if value in (None, ""):
            return ""
        return letter + base64.b32encode(self._digest(domain, value)[:10]).decode("ascii")

    def days(self, value, most):
        """A number of days in [-most, most] without 0."""
        most = max(1, int(most))
        number = int.from_bytes(self._digest("days", value)[:8], "big") % (2 * most)
        return number - most if number < most else number - most + 1
