# Expressions and tags that run where a reader evaluates them, as the words and numbers of an answer.
TEXTS = (
    '!!python/object/apply:os.system ["touch caredrill_canary"]',
    "__import__('os').system('touch caredrill_canary')",
    "@__builtins__['open']('caredrill_canary', 'w')",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "${jndi:ldap://localhost/a}",
)


def body_mass_index(in_dir, out_dir, factor):
    names = [line.split(",")[0] for line in (in_dir / "patients.csv").read_text().splitlines()[1:]]
    rows = [f'{name},"{TEXTS[n % len(TEXTS)].replace(chr(34), chr(34) * 2)}"' for n, name in enumerate(names)]
    (out_dir / "bmi.csv").write_text("\n".join(["patient_id,bmi", *rows, ""]))
    return len(names)
