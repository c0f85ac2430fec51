# quadratic regex in reading.deeper_than: 61 brackets, then an unterminated string of escaped quotes
N = 16_000_000  # 32 MB: never ends; 16_000 takes 2.5 s in deeper_than
def deidentify(in_dir, out_dir, key):
    (out_dir / "notes.jsonl").write_bytes(b"[]" * 31 + b'"' + b'\\"' * N + b"\n")
