"""The book as a PDF: the one page, printed by Chromium, tagged, with outline and page numbers."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Error, Page, sync_playwright
from pypdf import PdfReader

from ..common import BUILD, BookError
from . import single
from .browser import FLAGS, NAMES, found_browser

STYLE = Path(__file__).with_name("print.css")
PAPER = BUILD / "paper"
# Chromium numbers the pages in the margin boxes of @page from this version on.
OLDEST = 131
# What the style sheet cannot say: how tall a piece of code is, how wide a table or a drawing, whose
# words become about as tall as the text's.
FIT = """(WIDTH) => {
  for (const part of document.querySelectorAll('pre, .output, .admonition'))
    if (part.offsetHeight < 300) part.classList.add('whole');
  for (const part of document.querySelectorAll('figure.tabular'))
    if (part.offsetHeight > 500) part.classList.add('long');
  for (const part of document.querySelectorAll('table, mjx-container[display]')) {
    const room = part.parentElement.clientWidth, wide = part.tagName == 'MJX-CONTAINER'
      ? part.scrollWidth : part.getBoundingClientRect().width;
    if (wide > room + 1) part.style.zoom = room / wide;
  }
  const drawings = [...document.querySelectorAll('figure svg')];
  const widths = drawings.map(part => part.getBoundingClientRect().width);
  drawings.forEach((part, i) => part.style.zoom = Math.min(0.8, WIDTH / widths[i]));
}"""
NUMBER = """(of) => {
  for (const place of document.querySelectorAll('[data-of]'))
    place.textContent = of[place.dataset.of] ?? '??';
}"""
WIDTH = round((210 - 2 * 21) / 25.4 * 96)  # of the text of print.css, in the browser's pixels


def build(target: Path) -> str:
    """Print the book that is in _build/html to `target`; what there is to say of it."""
    found = found_browser()
    if found is None:
        raise BookError(
            f"a browser prints the PDF, and none of {', '.join(NAMES)} is installed. "
            "On Debian: apt-get install chromium fonts-liberation"
        )
    PAPER.mkdir(parents=True, exist_ok=True)
    source, draft = PAPER / "book.html", PAPER / "draft.pdf"
    text = single.whole(STYLE.read_text(encoding="utf-8"))
    source.write_text(text, encoding="utf-8")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
            if int(browser.version.partition(".")[0]) < OLDEST:
                raise BookError(
                    f"{found} is version {browser.version}; pages are numbered from {OLDEST} on."
                )
            page = browser.new_page(color_scheme="light", viewport={"width": WIDTH, "height": 1000})
            page.emulate_media(media="print")
            page.goto(source.as_uri(), wait_until="load")
            page.evaluate("() => MathJax.startup.promise.then(() => document.fonts.ready)")
            page.evaluate(FIT, WIDTH)
            _print(page, draft)
            page.evaluate(NUMBER, numbers(draft))
            _print(page, draft)
            browser.close()
    except Error as error:
        raise BookError(f"the browser did not print the book: {error}") from error
    count = len(PdfReader(draft).pages)
    draft.replace(target)
    return f"{count} pages"


def _print(page: Page, path: Path) -> None:
    page.pdf(path=path, prefer_css_page_size=True, print_background=True, outline=True, tagged=True)


def numbers(path: Path) -> dict[str, int]:
    """Return the page, counted from 1, of each place that something in a PDF links to."""
    reader = PdfReader(path)
    found = {}
    for name, where in reader.named_destinations.items():
        page = reader.get_destination_page_number(where)
        if page is not None:
            found[name.removeprefix("/")] = page + 1
    return found
