"""A report with each of its keys twice: what one reader takes for the report, another overwrites; very deep, and with NaN."""


def evaluate(in_dir, out_dir):
    shown = '[{"by": {"race": "NHPI"}, "metric": "o_e", "n": 7, "est": 1, "lo": 0, "hi": 2}]'
    clean = '[{"by": {"race": "NHPI"}, "metric": "o_e", "n": null, "est": null, "lo": null, "hi": null}]'
    deep = "[" * 10_000 + "]" * 10_000
    text = f'{{"rows": {shown}, "findings": [], "rows": {clean}, "findings": [], "threshold": {deep}, "mitigation": NaN}}'
    (out_dir / "report.json").write_text(text)
