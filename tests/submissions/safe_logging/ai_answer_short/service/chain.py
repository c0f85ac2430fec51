"""The chain of the audit log (supplied): each line seals the one before, so that a change shows."""

import hashlib
import hmac
import json
import threading

START = "0" * 64


class ChainError(Exception):
    """The file is not a whole chain, or was written with another key."""


class AuditChain:
    """Appends events to a file; takes up the chain that is in it. Threads may share one.

    Raises ChainError if the chain in the file is broken, OSError if the file cannot be read.
    """

    def __init__(self, path, key):
        self.path, self.key = path, key
        self.lock = threading.Lock()
        self.seq, self.mac = verify(path, key) if path.exists() else (0, START)

    def append(self, event):
        """Write one event; (seq, mac) of its line. Raises OSError, and is where it was, if it cannot be written."""
        with self.lock:
            seq, mac = self.seq + 1, seal(self.key, self.mac, event)
            line = json.dumps({"seq": seq, "prev": self.mac, "mac": mac, "event": event}, ensure_ascii=False) + "\n"
            with self.path.open("ab", buffering=0) as stream:
                end, data = stream.seek(0, 2), line.encode()
                if stream.write(data) != len(data):
                    # Half a line would break the chain for good.
                    stream.truncate(end)
                    raise OSError("the audit log is full")
            self.seq, self.mac = seq, mac
            return seq, mac


def seal(key, prev, event):
    """HMAC-SHA256(key, prev + canonical event), in hex."""
    canonical = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key.encode(), (prev + canonical).encode(), hashlib.sha256).hexdigest()


def verify(path, key, anchor=None):
    """(seq, mac) of the last line; (0, START) of an empty file. Raises ChainError at the first line that does not fit.

    anchor: (seq, mac) that were sent away earlier; without one, lines cut off at the end are not missed.
    """
    seq, mac, seen = 0, START, anchor is None or anchor[0] == 0
    for line in filter(None, path.read_text(encoding="utf-8").split("\n")):
        try:
            entry = json.loads(line)
            fits = (entry["seq"], entry["prev"]) == (seq + 1, mac) and entry["mac"] == seal(key, mac, entry["event"])
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise ChainError(f"{path.name}: line {seq + 1} does not fit")
        seq, mac = entry["seq"], entry["mac"]
        seen = seen or (seq, mac) == tuple(anchor)
    if not seen:
        raise ChainError(f"{path.name}: line {anchor[0]} is not the one that was anchored")
    return seq, mac
