"""The built site in a real browser: what a reader of each page gets, on a desk and on a phone."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from toybook import IN_CI, ROOT

from tools import config

SITE = ROOT / "_build" / "html"
PAGES = config.pages()
NOTEBOOKS = [path.relative_to(ROOT).with_suffix("").as_posix() for path in config.notebooks()]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 812}

# Gathered in one go from the page, once its equations are set.
GATHER = """() => ({
  text: document.querySelector('article')?.innerText ?? '',
  footer: document.querySelector('.extra_footer')?.innerText ?? '',
  title: document.title,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  wide: [...document.querySelectorAll('article *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map(e => e.tagName + '.' + e.className),
  links: [...document.querySelectorAll('a[href], link[href]')].map(e => e.href),
  sources: [...document.querySelectorAll('[src]')].map(e => e.src),
  equations: [...document.querySelectorAll('.math')].map(e => ({
    source: e.textContent.slice(0, 80),
    set: !!e.querySelector('mjx-container'),
    error: e.querySelector('mjx-merror, [data-mjx-error]')?.textContent ?? '',
  })),
  figures: [...document.querySelectorAll('article figure')].map(e => ({
    id: e.id,
    number: e.querySelector('figcaption .caption-number')?.textContent.trim() ?? '',
    caption: e.querySelector('figcaption .caption-text')?.textContent.trim() ?? '',
    pictures: e.querySelectorAll('[role=img], img').length,
  })),
  pictures: [...document.querySelectorAll('article [role=img], article svg, article img')]
    .filter(e => !e.parentElement.closest('[role=img], svg, button'))
    .map(e => ({
      shown: e.outerHTML.slice(0, 80),
      figure: !!e.closest('figure'),
      alt: (e.tagName == 'IMG' ? e.alt : e.getAttribute('aria-label')) ?? '',
    })),
})"""


def missing(what: str) -> None:
    """Skip where something is not there; in CI that is a failure."""
    if IN_CI:
        pytest.fail(f"{what}, and CI is set")
    pytest.skip(what)


@dataclass
class Visit:
    """What the browser saw of one page."""

    facts: dict[str, Any]
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """The address the site is served at."""
    if not (SITE / "index.html").is_file():
        missing("no site in _build/html (`make book` builds it)")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


# Not for the whole session: while Playwright runs, nbval could not use this thread's event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        missing(f"no browser: none of {', '.join(names)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


def visit(browser: Browser, address: str, size: dict[str, int]) -> Visit:
    """Open a page and wait until its equations are set."""
    context = browser.new_context(viewport=size)  # type: ignore[arg-type]
    page = context.new_page()
    seen = Visit({})
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("requestfailed", lambda request: seen.complaints.append(f"failed: {request.url}"))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("console", partial(note_console, seen))
    try:
        page.goto(address, wait_until="load")
        settle(page)
        seen.facts = page.evaluate(GATHER)
    finally:
        context.close()
    return seen


def note_console(seen: Visit, message: Any) -> None:
    if message.type == "error":
        seen.complaints.append(f"console: {message.text}")


def settle(page: Page) -> None:
    """MathJax is loaded only where a page has equations."""
    if page.locator("script[src*=mathjax]").count():
        page.wait_for_function("() => window.MathJax?.startup?.promise")
        page.evaluate("() => MathJax.startup.promise")
    page.wait_for_load_state("networkidle")


@pytest.fixture(scope="module")
def on_desk(browser: Browser, origin: str) -> dict[str, Visit]:
    return {name: visit(browser, f"{origin}/{name}.html", DESK) for name in PAGES}


@pytest.fixture(scope="module")
def on_phone(browser: Browser, origin: str) -> dict[str, Visit]:
    return {name: visit(browser, f"{origin}/{name}.html", PHONE) for name in PAGES}


every_page = pytest.mark.parametrize("name", PAGES)


@every_page
def test_asks_no_other_host(on_desk: dict[str, Visit], origin: str, name: str) -> None:
    outside = [url for url in on_desk[name].requests if not url.startswith((origin, "data:"))]
    assert not outside


@every_page
def test_browser_has_nothing_to_complain_about(on_desk: dict[str, Visit], name: str) -> None:
    assert not on_desk[name].complaints


@pytest.mark.parametrize("name", ["index", "search", "genindex"])
def test_pages_without_prose_are_sound_too(browser: Browser, origin: str, name: str) -> None:
    seen = visit(browser, f"{origin}/{name}.html", DESK)
    assert not seen.complaints
    assert all(url.startswith((origin, "data:")) for url in seen.requests)


@every_page
def test_figures_have_number_caption_and_alternative(on_desk: dict[str, Visit], name: str) -> None:
    facts = on_desk[name].facts
    for figure in facts["figures"]:
        assert figure["id"] and figure["pictures"], figure
        assert re.match(r"Fig\. \d+", figure["number"]) and figure["caption"], figure
    for picture in facts["pictures"]:
        assert picture["figure"], f"a picture outside a figure: {picture}"
        assert len(picture["alt"].split()) >= 3, f"no text alternative worth the name: {picture}"


@every_page
def test_equations_are_set(on_desk: dict[str, Visit], name: str) -> None:
    for equation in on_desk[name].facts["equations"]:
        assert equation["set"] and not equation["error"], equation


@every_page
def test_fits_a_phone(on_phone: dict[str, Visit], name: str) -> None:
    facts = on_phone[name].facts
    assert facts["overflow"] <= 0, f"{facts['overflow']} px too wide, because of {facts['wide']}"
    assert not on_phone[name].complaints


@every_page
def test_says_how_it_was_made(on_desk: dict[str, Visit], name: str) -> None:
    facts = on_desk[name].facts
    assert re.search(r"profile (quick|full), built on \d{4}-\d\d-\d\d from commit", facts["footer"])
    if name in NOTEBOOKS:
        made = facts["text"].partition("How this page was made")[2]
        for word in ("Profile", "Device", "Python", "Torch", "Commit", "Executed on"):
            assert re.search(rf"^{word}: \S", made, flags=re.MULTILINE), f"{word} is missing"


@every_page
def test_links_lead_somewhere(on_desk: dict[str, Visit], origin: str, name: str) -> None:
    facts = on_desk[name].facts
    broken = [url for url in {*facts["links"], *facts["sources"]} if leads_nowhere(url, origin)]
    assert not broken


def leads_nowhere(url: str, origin: str) -> bool:
    """Whether an internal target is missing, or an address outside is malformed."""
    if not url.startswith(origin):
        parts = urlsplit(url)
        return parts.scheme not in {"data", "mailto"} and not (
            parts.scheme == "https" and "." in parts.netloc
        )
    parts = urlsplit(url)
    target = SITE / unquote(parts.path).lstrip("/")
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return True
    anchor = unquote(parts.fragment)
    return bool(anchor) and anchor not in anchors(target)


def anchors(path: Path) -> set[str]:
    return set(re.findall(r'\bid="([^"]+)"', path.read_text(encoding="utf-8")))


BAD = """<html><body><article><div style="width: 900px">wide</div>
<svg width="9" height="9"></svg><span class="math">x^2</span>
<img src="http://elsewhere.invalid/x.png" alt=""><a href="nowhere.html">a link</a>
<script>console.error("no good")</script></article></body></html>"""


def test_these_checks_can_fail(browser: Browser, tmp_path: Path) -> None:
    """A page with every fault: each is seen."""
    bad = tmp_path / "bad.html"
    bad.write_text(BAD)
    seen = visit(browser, bad.as_uri(), PHONE)
    assert "http://elsewhere.invalid/x.png" in seen.requests
    assert any("no good" in complaint for complaint in seen.complaints)
    assert seen.facts["overflow"] > 0 and seen.facts["wide"]
    assert [picture["alt"] for picture in seen.facts["pictures"]] == ["", ""]
    assert not seen.facts["equations"][0]["set"]
    assert leads_nowhere("http://local/nowhere.html", "http://local")
    assert leads_nowhere("http://plain.example.org/", "http://local")
    assert not leads_nowhere("https://example.org/", "http://local")
