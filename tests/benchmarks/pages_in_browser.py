"""Opens pages in headless Chromium and prints what is wrong with each, a line of JSON for every page, size and theme.

Runs in an environment of its own, which `make pages` makes; pages.py calls it and judges.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from pypdf import PdfReader

# Pixels: a laptop, and a small phone.
SIZES = {1280: 900, 390: 844}
THEMES = ("light", "dark")
# What may stand in a page, in words of the DOM; anything else came from a text that was not escaped.
STRANGERS = """() => {
  const tags = new Set(('html head meta title style body header main nav section footer h1 h2 h3 h4 p div span strong '
    + 'em ul ol li dl dt dd table caption colgroup col thead tbody tfoot tr th td code pre a figure figcaption details '
    + 'summary br hr svg g rect path line circle text tspan polyline polygon defs pattern desc').split(' '));
  const found = [];
  for (const e of document.querySelectorAll('*')) {
    if (!tags.has(e.localName)) found.push('<' + e.localName + '>');
    for (const a of e.attributes) {
      const link = a.name === 'href' && !/^(#|mailto:|[\\w.-]+(\\/[\\w.-]+)*(#[\\w-]+)?$)/.test(a.value);
      if (/^on|^src|action$|^xlink/.test(a.name) || link) found.push(e.localName + ' ' + a.name);
    }
  }
  const labels = [...document.querySelectorAll('[aria-label]')].map(e => e.ariaLabel);
  const text = document.documentElement.textContent + labels.join('');
  const unicode = '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069';
  if (new RegExp('[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f' + unicode + ']').test(text)) found.push('controls');
  return found;
}"""
# How far the page is wider than its window, and what reaches out although no region that scrolls holds it.
OVERFLOW = """() => {
  const page = document.scrollingElement, out = [];
  for (const e of document.body.querySelectorAll('*')) {
    let p = e; while (p && !['auto', 'scroll'].includes(getComputedStyle(p).overflowX)) p = p.parentElement;
    if (!p && e.getBoundingClientRect().right > innerWidth + 1) out.push(e.localName);
  }
  return [Math.max(0, page.scrollWidth - innerWidth), [...new Set(out)]];
}"""
# Marks the first part of every exercise on a scorecard, heading to hashes, in a way that takes no room; how many.
MARK = """() => {
  const put = (e, word) => { const s = document.createElement('span'); s.textContent = word;
    s.style = 'position: absolute; font-size: 1px'; e.append(s); };
  const parts = [...document.querySelectorAll('main > section')];
  const ends = parts.map(s => [s.querySelector('h2'), [...s.querySelectorAll('p > code')].pop()]);
  const whole = ends.filter(([h, c]) => h && c);
  whole.forEach(([h, c], n) => { put(h, `begin${n}q`); put(c, `end${n}q`); });
  return whole.length;
}"""


def opened(browser: Browser, path: Path, width: int, theme: str, script: bool) -> tuple[Page, list[str]]:
    """A page without a network, and what it asked for besides itself."""
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]}, color_scheme=theme, java_script_enabled=script, offline=True
    )
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    return page, asked


def seen(browser: Browser, path: Path, shots: Path, name: str) -> Iterator[dict[str, Any]]:
    """Every size and theme of one page."""
    for width, theme in itertools.product(SIZES, THEMES):
        page, asked = opened(browser, path, width, theme, script=True)
        shot = page.screenshot(full_page=True, path=shots / f"{name}-{width}-{theme}.png")
        text, strangers, (over, out) = page.inner_text("body"), page.evaluate(STRANGERS), page.evaluate(OVERFLOW)
        broken = Axe().run(page).response["violations"]
        bare, asked_too = opened(browser, path, width, theme, script=False)
        same = bare.inner_text("body") == text and bare.screenshot(full_page=True) == shot
        yield {
            "width": width,
            "theme": theme,
            "violations": [f"{v['id']}: {v['nodes'][0]['target'][-1]} ({len(v['nodes'])})" for v in broken],
            "overflow": over,
            "out": out,
            "requests": len(asked) + len(asked_too),
            "same": same,
            "strangers": sorted(set(strangers)),
        }
        page.context.close()
        bare.context.close()


def printed(browser: Browser, path: Path, shots: Path, name: str) -> dict[str, Any]:
    """The page on A4: how many sheets, how many of them each exercise's first part takes, and what is cut off."""
    # Printed from a dark screen: ink on white all the same.  710 pixels are A4 without its margins of 11 mm.
    page, _ = opened(browser, path, 1280, "dark", script=True)
    # What a page says on the screen alone is marked so: criteria's rules would make a sheet of two.
    page.evaluate("document.querySelectorAll('.on-screen').forEach(e => { e.style.display = 'none' })")
    words = page.inner_text("body").split()
    page.evaluate("document.querySelectorAll('.on-screen').forEach(e => { e.style.display = '' })")
    pdf = shots / f"{name}.pdf"
    page.pdf(path=pdf, prefer_css_page_size=True, print_background=False)
    reader = PdfReader(pdf)
    whole = "".join(letters(reader))
    a4 = all(abs(float(p.mediabox.width) - 595) < 2 and abs(float(p.mediabox.height) - 842) < 2 for p in reader.pages)
    marks = page.evaluate(MARK)
    marked = letters(PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))))
    ends = [
        [n for n, text in enumerate(marked) if f"{word}{k}q" in text] for k in range(marks) for word in ("begin", "end")
    ]
    took = [last[0] - first[0] + 1 for first, last in zip(ends[::2], ends[1::2], strict=True)]
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 710, "height": 1040})
    over, out = page.evaluate(OVERFLOW)
    # Dark ink: pale letters on white paper were once what a dark screen printed.
    ink = max(int(part) for part in re.findall(r"[0-9]+", page.evaluate("getComputedStyle(document.body).color"))[:3])
    page.context.close()
    lost = [word for word in words if word.isascii() and word.isalnum() and word not in whole]
    return {
        "pages": len(reader.pages),
        "sheets": took,
        "a4": a4,
        "clipped": over,
        "out": out,
        "lost": lost[:5],
        "pale": ink > 90,
    }


def letters(pdf: PdfReader) -> list[str]:
    """The text of each sheet without white space."""
    # NFKC: a PDF writes "fi" as one sign.
    return ["".join(unicodedata.normalize("NFKC", sheet.extract_text()).split()) for sheet in pdf.pages]


def main() -> None:
    """Arguments: the browser, a folder for screenshots and PDFs, then pairs of name and page."""
    program, shots, words = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    shots.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # A browser's own sandbox does not start as root; the pages hold no script and there is no network.
        words_for_root = [] if os.geteuid() else ["--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=program, args=words_for_root)
        print(json.dumps({"browser": browser.version, "axe": Axe().axe_script.split("axe v", 1)[1].split()[0]}))
        for name, path in zip(words[::2], words[1::2], strict=True):
            flat = name.replace("/", "-")
            found = list(seen(browser, Path(path), shots, flat))
            paper = printed(browser, Path(path), shots, flat)
            print(json.dumps({"page": name, "screens": found, "paper": paper}), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
