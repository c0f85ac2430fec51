# Markup, terminal codes, formulas and links as names, words, columns and the value returned.
TEXTS = (
    "<script>document.title='100'</script>", "<img src=x onerror=alert(1)>", "](javascript:alert(1))", "\x1b[2J\x1b[32m100",
    "=HYPERLINK(1)", "+cmd|' /C calc'!A0", "@SUM(1)", "\u202e001", "{{7*7}}", "| 100 | 100 |", "\x1b]0;100\x07",
)


def body_mass_index(in_dir, out_dir, factor):
    names = [line.split(",")[0] for line in (in_dir / "patients.csv").read_text().splitlines()[1:]]
    rows = [f"{name},{TEXTS[n % len(TEXTS)]},{TEXTS[-n % len(TEXTS)]}" for n, name in enumerate(names)]
    (out_dir / "bmi.csv").write_text("\n".join([f"patient_id,bmi,{TEXTS[0]}", *rows, ""]))
    print(*TEXTS)
    return list(TEXTS)
