"""What the scanner of logs catches, how often it is wrong on clean lines, and how fast it is.

python tests/benchmarks/log_traces.py            (all; about a minute)
python tests/benchmarks/log_traces.py --table    (the tables of docs/log_traces.md, in Markdown)
"""

from __future__ import annotations

import base64
import codecs
import gzip
import hashlib
import hmac
import html
import json
import quopri
import random
import re
import sys
import time
import unicodedata
import uuid
import zlib
from collections.abc import Callable
from datetime import date, timedelta
from urllib.parse import quote

from graders.measures.log_forms import FIELDS, Planted
from graders.measures.log_traces import Traces

PEOPLE = 600
Person = dict[str, str]
Transform = Callable[[str, str, Person], str | bytes]

_ONSETS = [
    "b",
    "br",
    "d",
    "dr",
    "f",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "qu",
    "r",
    "s",
    "t",
    "v",
    "z",
    "zw",
]
_VOWELS = [*"aeiouaeio", "ö", "é", "ø", "ü"]
_ENDS = ["x", "ck", "nd", "rk", "lm", "sk", "ł", "ñ", "th", "vz"]


def people(count: int, seed: int) -> list[Person]:
    """Invented people with every field, as the exercise plants them."""
    r = random.Random(seed)

    def name() -> str:
        word = "".join(r.choice(_ONSETS) + r.choice(_VOWELS) for _ in range(3)) + r.choice(_ENDS)
        return word.capitalize() if len(word) >= 6 else name()

    def odd(word: str) -> str:
        return r.choice([word] * 8 + [f"{word}-{name()}", f"O'{word}"])

    found: list[Person] = []
    used: set[str] = set()
    while len(found) < count:
        given, family = name(), odd(name())
        mrn, town, street = f"MRN{r.randrange(10_000_000, 99_999_999)}", name(), name()
        phone = f"({r.randrange(201, 990)}) 555-01{r.randrange(100):02}"
        if used & {given, family, mrn, phone}:
            continue
        used |= {given, family, mrn, phone}
        found.append(
            {
                "family": family,
                "given": given,
                "birthDate": str(date(1925, 1, 1) + timedelta(days=r.randrange(29_500))),
                "mrn": mrn,
                "ssn": f"9{r.randrange(100):02}-{r.randrange(10, 99)}-{r.randrange(1000, 9999)}",
                "phone": phone,
                "email": f"{plain(given)}.{plain(family)}@example.org".lower(),
                "address": f"{r.randrange(1, 9999)} {street} Street, {town} {r.randrange(10_000, 99_999)}",
                "note": f"Patient keeps {r.randrange(3, 40)} {name()} {name()} in the {name()}.",
            }
        )
    return found


def plain(text: str) -> str:
    """ASCII letters and digits only."""
    bare = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("ł", "l").replace("Ø", "O"))
    return "".join(c for c in bare if c.isascii() and c.isalnum())


def planted(some: list[Person]) -> list[Planted]:
    return [Planted(number, field, one[field]) for number, one in enumerate(some) for field in FIELDS]


def accents_removed(text: str) -> str:
    return unicodedata.normalize("NFKD", text.replace("ø", "o").replace("ł", "l")).encode("ascii", "ignore").decode()


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _digest(name: str, text: str) -> bytes:
    return hashlib.new(name, text.encode(), usedforsecurity=False).digest()


def truncated(value: str, field: str, one: Person) -> str:
    if field in ("family", "given"):
        letters = [i for i, c in enumerate(value) if c.isalpha()]
        return value[: letters[5] + 1] + "…"
    if field == "birthDate":
        return f"{one['family']} {value[:7]}"
    if field == "email":
        return value[: value.index(".") + 5]
    return value[: {"mrn": 9, "ssn": 9, "phone": -1, "address": -6, "note": 30}[field]]


def short(value: str, field: str, one: Person) -> str:
    born = one["birthDate"]
    return {
        "family": f"{one['given'][0]}. {value}",
        "given": f"{value} {one['family'][0]}.",
        "birthDate": f"dob {born[5:7]}/{born[8:]}/{born[2:4]}",
        "mrn": f"mrn ending {value[-6:]}",
        "ssn": value.replace("-", " "),
        "phone": f"+1 {value[1:4]}.{value[6:9]}.{value[10:]}",
        "email": value.partition("@")[0],
        "address": value.partition(",")[0],
        "note": value[-32:],
    }[field]


def form_1(value: str, field: str, one: Person) -> str:
    born = one["birthDate"]
    return {
        "family": f"PID|1||{value.upper()}^{one['given'].upper()}",
        "given": f"{one['family']}, {value}",
        "birthDate": f"{born[5:7]}/{born[8:]}/{born[:4]}",
        "mrn": f"KeyError: {value[3:]}",
        "ssn": f"{value.replace('-', '')}.0",
        "phone": f"{value[1:4]}/{value[6:]}",
        "email": value.replace("@", " at "),
        "address": value.replace(", ", "\\n"),
        "note": value[:28] + "...",
    }[field]


def form_2(value: str, field: str, one: Person) -> str:
    born = date.fromisoformat(one["birthDate"])
    return {
        "family": "patient" + "".join(c for c in value if c.isalnum()).capitalize(),
        "given": f"/tmp/label_{value.lower()}_2026.pdf",
        "birthDate": f"{born.day} {born:%B} {born.year}",
        "mrn": f"mrn:{value[3:6]}-{value[6:9]}-{value[9:]}",
        "ssn": value.replace("-", "."),
        "phone": f"tel:+1-{value[1:4]}-{value[6:]}",
        "email": re.sub(r"\W", "_", value) + ".csv",
        "address": f"{value.partition(', ')[2]}; {value.partition(',')[0]}",
        "note": re.sub(r"\W+", "-", value.lower()).strip("-"),
    }[field]


def _quoted_printable(value: str) -> str:
    """As mail programs write it, with every third ASCII letter escaped too."""
    text = quopri.encodestring(value.encode()).decode()
    return re.sub(r"(?<![=0-9A-F])([g-z ])([g-z])", lambda m: f"={ord(m[1]):02X}={ord(m[2]):02X}", text)


def _of(change: Callable[[str], str | bytes]) -> Transform:
    return lambda value, field, one: change(value)


TRANSFORMS: dict[str, Transform] = {
    "as it is": _of(str),
    "URL": _of(lambda v: quote(v, safe="")),
    "URL, twice": _of(lambda v: quote(quote(v, safe=""), safe="")),
    "base64": _of(_b64),
    "base64, one byte before it": _of(lambda v: _b64(f"~{v}")),
    "base64, inside JSON": lambda v, field, one: _b64(json.dumps({"id": 1, field: v}, ensure_ascii=False)),
    "base64, URL-safe, unpadded": _of(lambda v: base64.urlsafe_b64encode(f"?>{v}".encode()).decode().rstrip("=")),
    "ASCII85": _of(lambda v: base64.a85encode(v.encode(), adobe=True).decode()),
    "JSON list of characters": _of(lambda v: json.dumps(list(v), ensure_ascii=False)),
    "JSON list of code points": _of(lambda v: json.dumps(list(map(ord, v)))),
    "JSON list of bytes": _of(lambda v: json.dumps(list(v.encode()))),
    "base32": _of(lambda v: base64.b32encode(v.encode()).decode()),
    "hexadecimal": _of(lambda v: v.encode().hex()),
    "HTML entities": _of(lambda v: "".join(f"&#{ord(c)};" if i % 2 else html.escape(c) for i, c in enumerate(v))),
    "JSON escapes": _of(lambda v: "".join(f"\\u{ord(c):04x}" for c in v)),
    "Python escapes": _of(lambda v: "".join(f"\\x{ord(c):02x}" if ord(c) < 256 else ascii(c)[1:-1] for c in v)),
    "bytes, as Python shows them": _of(lambda v: repr(v.encode())),
    "quoted-printable": _of(_quoted_printable),
    "rot13": _of(lambda v: codecs.encode(v, "rot13")),
    "UTF-16": _of(lambda v: v.encode("utf-16-le")),
    "gzip, then base64": _of(lambda v: base64.b64encode(gzip.compress(v.encode(), mtime=0)).decode()),
    "full-width letters": _of(lambda v: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in v)),
    "upper case": _of(str.upper),
    "accents removed": _of(accents_removed),
    "accents as marks of their own": _of(lambda v: unicodedata.normalize("NFD", v)),
    "zero-width characters inserted": _of("\u200b".join),
    "separators removed": _of(lambda v: re.sub(r"[\W_]", "", v)),
    "separators changed": _of(lambda v: re.sub(r"[\W_]+", "_", v.strip("(."))),
    "letters apart": _of(" ".join),
    "reversed": _of(lambda v: v[::-1]),
    "truncated": truncated,
    "short form": short,
    "other form": form_1,
    "another form": form_2,
    "MD5": _of(lambda v: _digest("md5", v).hex()),
    "SHA-1": _of(lambda v: _digest("sha1", v).hex()),
    "SHA-224": _of(lambda v: _digest("sha224", v).hex()),
    "SHA-256": _of(lambda v: _digest("sha256", v).hex()),
    "SHA-256 of upper case": _of(lambda v: _digest("sha256", v.upper()).hex()),
    "SHA-256, 12 digits": _of(lambda v: "pt_" + _digest("sha256", v).hex()[:12]),
    "SHA-256, base64": _of(lambda v: base64.b64encode(_digest("sha256", v)).decode()),
    "SHA-512": _of(lambda v: _digest("sha512", v).hex().upper()),
    "BLAKE2b": _of(lambda v: hashlib.blake2b(v.lower().encode()).hexdigest()),
    "CRC-32": _of(lambda v: f"{zlib.crc32(v.encode()):08x}"),
}

DATE_FORMS: dict[str, Callable[[date], str]] = {
    "1950-03-14": str,
    "03/14/1950": lambda d: f"{d:%m/%d/%Y}",
    "3/14/1950": lambda d: f"{d.month}/{d.day}/{d.year}",
    "14.03.1950": lambda d: f"{d:%d.%m.%Y}",
    "14.3.1950": lambda d: f"{d.day}.{d.month}.{d.year}",
    "19500314": lambda d: f"{d:%Y%m%d}",
    "03141950": lambda d: f"{d:%m%d%Y}",
    "1950/03/14": lambda d: f"{d:%Y/%m/%d}",
    "1950-03-14T00:00:00Z": lambda d: f"{d}T00:00:00Z",
    "1950-03-14 00:00:00": lambda d: f"{d} 00:00:00",
    "datetime.date(1950, 3, 14)": repr,
    "14 March 1950": lambda d: f"{d.day} {d:%B} {d.year}",
    "March 14, 1950": lambda d: f"{d:%B} {d.day}, {d.year}",
    "14th of March 1950": lambda d: f"{d.day}th of {d:%B} {d.year}",
    "14-MAR-1950": lambda d: f"{d:%d-%b-%Y}".upper(),
    "1950 Mar 14": lambda d: f"{d:%Y %b %d}",
    "1950-073": lambda d: f"{d:%Y-%j}",
    "epoch seconds": lambda d: f"{(d - date(1970, 1, 1)).days * 86400}",
    "epoch milliseconds": lambda d: f"{(d - date(1970, 1, 1)).days * 86400000}",
    "epoch seconds as a float": lambda d: f"{(d - date(1970, 1, 1)).days * 86400}.0",
    "born 03/14/50": lambda d: f"born {d:%m/%d/%y}",
    "dob: 14.03.50": lambda d: f"dob: {d:%d.%m.%y}",
    "birth_days: -7233 (epoch days)": lambda d: f"birth_days: {(d - date(1970, 1, 1)).days}",
    "{family}, March 1950": lambda d: f"{{family}}, {d:%B %Y}",
    "{family}, age 76, born 1950": lambda d: f"{{family}}, age {2026 - d.year}, born {d.year}",
}


def line_with(what: str | bytes, r: random.Random) -> bytes:
    """A log line that holds it."""
    stamp = f"2026-11-22T12:23:{r.randrange(60):02}.{r.randrange(1000):03}Z"
    head = f'{{"ts":"{stamp}","request_id":"{r.getrandbits(128):032x}",'
    raw = what if isinstance(what, bytes) else what.encode()
    return head.encode() + b'"level":"ERROR","ms":12.5,"detail":"' + raw + b'","status":500}\n'


def table(some: list[Person], scan: Traces, tried: int, seed: int = 1) -> dict[tuple[str, str], float]:
    """Share of `tried` people whose value is found, by transform and field."""
    r = random.Random(seed)
    shares = {}
    for how, change in TRANSFORMS.items():
        for field in FIELDS:
            found = 0
            for number in range(tried):
                hits = scan.find(line_with(change(some[number][field], field, some[number]), r))
                found += any((h.request, h.field) == (number, field) for h in hits)
            shares[how, field] = found / tried
    return shares


def clean_line(r: random.Random) -> str:
    """One line as a service writes it that leaks nothing."""
    stamp = f"2026-11-{r.randrange(1, 29):02}T{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}"
    request, ms = f"{r.getrandbits(128):032x}", round(r.expovariate(1 / 40), 2)
    patient = hmac.new(b"a key of the service", str(r.random()).encode(), "sha256").hexdigest()[:16]
    route = r.choice(["/patients/{id}", "/patients", "/predict", "/bundle", "/batch", "/label", "/notify", "/metrics"])
    status = r.choice([200] * 8 + [201, 404, 422, 500, 502])
    kind = r.random()
    record: dict[str, object] = {"ts": f"{stamp}.{r.randrange(1000):03}Z", "level": "INFO", "event": "request"}
    if kind < 0.6:
        record |= {"request_id": request, "route": route, "status": status, "ms": ms, "site": "north"}
        record |= {
            "patient_ref": patient,
            "bytes": r.randrange(10**8),
            "trace_id": str(uuid.UUID(request)),
            "port": 48211,
        }
        return json.dumps(record | {"model_version": "readmission-2.3.1", "span": f"{r.getrandbits(64):016x}"})
    if kind < 0.7:
        code = r.choice(["integrity_error", "invalid_patient", "lab_timeout"])
        where = f"service/{r.choice(['routes', 'lab', 'store'])}.py:{r.randrange(400)}"
        record |= {"level": "ERROR", "event": "error", "request_id": request, "error_code": code, "where": where}
        loc = r.choice([["body", "birthDate"], ["body", "mrn"], ["body", "family"]])
        return json.dumps(record | {"error_class": "ValidationError", "loc": loc, "ms": ms, "pid": r.randrange(10**5)})
    if kind < 0.8:
        client = f"10.0.{r.randrange(256)}.{r.randrange(256)}:{r.randrange(1024, 65536)}"
        asked = f"GET /patients/p-{request[:6]} HTTP/1.1"
        return f'{stamp} INFO uvicorn.access {client} - "{asked}" {status} {r.randrange(10**6)}'
    if kind < 0.87:
        token = base64.urlsafe_b64encode(r.randbytes(24)).decode()
        head = f"ts={stamp}.{r.randrange(10**6):06}Z level=info msg=finished status={status}"
        return f"{head} token={token} bytes={r.randrange(10**7)}"
    if kind < 0.92:
        return f'requests_total{{route="{route}",status="{status}"}} {r.randrange(10**8)}'
    if kind < 0.96:
        code = f'  File "/app/service/routes.py", line {r.randrange(900)}, in read\n    patient = store.get(key)\n'
        return json.dumps(record | {"exc_info": f"Traceback (most recent call last):\n{code}KeyError", "id": request})
    digest = base64.b64encode(r.randbytes(32)).decode()
    asked = f"GET http://lab:8080/results?request_id={request}"
    return f"{stamp} DEBUG httpx HTTP Request: {asked} 200 OK etag={digest} {ms} ms"


def clean_log(lines: int, seed: int) -> str:
    r = random.Random(seed)
    return "".join(f"{clean_line(r)}\n" for _ in range(lines))


def typical_log(size: int, seed: int) -> str:
    """Clean lines, `size` bytes or a little more."""
    r = random.Random(seed)
    lines, length = [], 0
    while length < size:
        line = clean_line(r) + "\n"
        lines.append(line)
        length += len(line)
    return "".join(lines)


def main() -> None:
    """Print what was asked for."""
    some = people(PEOPLE, 1)
    scan = Traces(planted(some))
    scan.find(line_with("0123456789abcdef", random.Random(1)))
    shares = table(some, scan, tried=30)
    if "--table" in sys.argv:
        print("| | " + " | ".join(FIELDS) + " |\n|---" + "|---" * len(FIELDS) + "|")
        for how in TRANSFORMS:
            row = [shares[how, field] for field in FIELDS]
            print(f"| {how} | " + " | ".join("yes" if s == 1 else f"{s:.0%}" for s in row) + " |")
        return
    missed = {key: share for key, share in shares.items() if share < 1}
    print(f"caught: {sum(shares.values()) / len(shares):.2%} of {len(shares)} cells, 30 people each")
    print("\n".join(f"  {how}, {field}: {share:.0%}" for (how, field), share in missed.items()))
    for seed in (1, 2, 3):
        hits = scan.find(clean_log(100_000, seed))
        print(f"100,000 clean lines (seed {seed}): {len(hits)} false hits {[(h.field, h.how) for h in hits][:5]}")
    text = typical_log(20_000_000, 4)
    seconds, floor = [], []
    for _ in range(3):
        started = time.perf_counter()
        scan.find(text)
        seconds.append(time.perf_counter() - started)
        started = time.perf_counter()
        re.findall(r"[0-9a-f]{32}", text)
        floor.append(time.perf_counter() - started)
    speed = len(text) / 1e6 / min(seconds)
    print(f"{len(text) / 1e6:.0f} MB: {speed:.1f} MB/s; {min(seconds) / min(floor):.1f} times one re.findall")
    started = time.perf_counter()
    Traces(planted(some)).find("0123456789abcdef")
    print(f"preparing {PEOPLE} people: {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
