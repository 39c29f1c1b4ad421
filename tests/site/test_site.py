"""The built site in a real browser: what a reader of each page gets, on a desk and on a phone."""

from __future__ import annotations

import gzip
import html
import itertools
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from browsing import DESK, PHONE, Visit, note_console, settle, visit
from playwright.sync_api import Browser
from toybook import ROOT, missing

from tools.build import config, exercises

SITE = ROOT / "_build" / "html"
PAGES = config.pages()
GLOSSARY = "chapters/glossary"
NOTEBOOKS = [path.relative_to(ROOT).with_suffix("").as_posix() for path in config.notebooks()]


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """The address the site is served at: a folder of its server, as on GitHub Pages."""
    if not (SITE / "index.html").is_file():
        missing("no site in _build/html (`make book` builds it)")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{SITE.name}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def on_desk(browser: Browser, origin: str) -> dict[str, Visit]:
    return {name: visit(browser, f"{origin}/{name}.html", DESK) for name in PAGES}


@pytest.fixture(scope="module")
def on_phone(browser: Browser, origin: str) -> dict[str, Visit]:
    return {name: visit(browser, f"{origin}/{name}.html", PHONE, "dark") for name in PAGES}


@pytest.fixture(scope="module")
def from_file(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Visit]:
    """The pages as files, in a folder whose name needs quoting."""
    folder = tmp_path_factory.mktemp("a copy") / "Seiten, naïv"
    folder.symlink_to(SITE)
    return {
        name: visit(browser, (folder / f"{name}.html").as_uri(), DESK, axe=False) for name in PAGES
    }


every_page = pytest.mark.parametrize("name", PAGES)


@every_page
def test_asks_no_other_host(on_desk: dict[str, Visit], origin: str, name: str) -> None:
    outside = [url for url in on_desk[name].requests if not url.startswith((origin, "data:"))]
    assert not outside


@every_page
def test_browser_has_nothing_to_complain_about(on_desk: dict[str, Visit], name: str) -> None:
    assert not on_desk[name].complaints


@every_page
def test_nothing_keeps_a_reader_out(
    on_desk: dict[str, Visit], on_phone: dict[str, Visit], name: str
) -> None:
    """axe-core finds nothing critical or serious: on a desk in light, on a phone in dark."""
    assert not on_desk[name].barriers
    assert not on_phone[name].barriers


@every_page
def test_works_from_a_file(from_file: dict[str, Visit], name: str) -> None:
    seen = from_file[name]
    assert not seen.complaints
    assert all(url.startswith(("file:", "data:")) for url in seen.requests)
    assert all(equation["set"] for equation in seen.facts["equations"])


def test_the_front_door_leads_in(browser: Browser, origin: str) -> None:
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = context.new_page()
    seen = Visit()
    page.on("console", partial(note_console, seen))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.goto(f"{origin}/")
    page.wait_for_url(f"**/{PAGES[0]}.html")
    assert not seen.complaints
    assert all(url.startswith((origin, "data:")) for url in seen.requests)
    context.close()


@pytest.mark.parametrize("name", ["search", "genindex"])
def test_pages_without_prose_are_sound_too(browser: Browser, origin: str, name: str) -> None:
    seen = visit(browser, f"{origin}/{name}.html", DESK)
    assert not seen.complaints and not seen.barriers
    assert all(url.startswith((origin, "data:")) for url in seen.requests)


def packed(path: Path) -> int:
    """The bytes that a server sends of a file: fonts and pictures are compressed as they are."""
    data = path.read_bytes()
    return min(len(data), len(gzip.compress(data)))


@every_page
def test_first_load_is_light(on_desk: dict[str, Visit], origin: str, name: str) -> None:
    """Under 1 MB compressed, all included; nothing is there for the sake of its source alone."""
    loaded = {url.partition("?")[0] for url in on_desk[name].requests if url.startswith(origin)}
    sizes = {path: packed(file_of(path, origin)) for path in loaded}
    assert sum(sizes.values()) < 1_000_000, sizes
    assert not any("fontawesome.js" in path or path.endswith(".map") for path in loaded)


@every_page
def test_pictures_are_light(name: str) -> None:
    html = (SITE / f"{name}.html").read_text(encoding="utf-8")
    drawn = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    embedded = re.findall(r'"data:image/[^"]*"', html)
    large = [text[:80] for text in drawn + embedded if len(gzip.compress(text.encode())) > 150_000]
    files = re.findall(r'<img[^>]* src="([^":]+)"', html)
    large += [file for file in files if packed(SITE / Path(name).parent / file) > 150_000]
    assert not large


@every_page
def test_headings_are_in_order(on_desk: dict[str, Visit], name: str) -> None:
    levels = on_desk[name].facts["headings"]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels


@every_page
def test_tables_have_headers(on_desk: dict[str, Visit], name: str) -> None:
    assert not on_desk[name].facts["bare"]


@every_page
def test_dark_pages_have_no_white_boxes(on_phone: dict[str, Visit], name: str) -> None:
    assert not on_phone[name].facts["pale"]


@every_page
def test_figures_have_number_caption_and_alternative(on_desk: dict[str, Visit], name: str) -> None:
    facts = on_desk[name].facts
    for figure in facts["figures"]:
        assert figure["id"] and figure["table"] != bool(figure["pictures"]), figure
        kind = "Table" if figure["table"] else r"Fig\."
        assert re.match(rf"{kind} [\dA-Z]+", figure["number"]) and figure["caption"], figure
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
    assert not facts["cut"], "wide, and nothing around it scrolls"
    assert not on_phone[name].complaints


@pytest.mark.parametrize(
    ("name", "table"),
    [("07-reproduction", "tab-ledger"), ("06-why-it-trains", "tab-line"),
     ("06-why-it-trains", "tab-trials"), ("06-why-it-trains", "tab-trials-checks")],
)  # fmt: skip
def test_verdicts_fit_a_phone(browser: Browser, origin: str, name: str, table: str) -> None:
    """The tables that one reads first do not scroll; code that does shows where there is more."""
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{origin}/chapters/{name}.html")
    settle(page)
    hidden = "e => e.scrollWidth - e.clientWidth"
    assert page.locator(f"#{table} .output").evaluate(hidden) <= 0
    code = page.locator("article div.cell_input pre:visible").first
    assert code.evaluate(hidden) > 0
    assert "gradient" in code.evaluate("e => getComputedStyle(e).backgroundImage")
    context.close()


@every_page
def test_says_how_it_was_made(on_desk: dict[str, Visit], origin: str, name: str) -> None:
    facts = on_desk[name].facts
    assert re.search(r"profile (quick|full), built on \d{4}-\d\d-\d\d from commit", facts["footer"])
    assert re.search(r"run with python \S+, torch \S+, torchvision \S+ on \S", facts["footer"])
    suffix = "ipynb" if name in NOTEBOOKS else "md"
    assert f"{origin}/_sources/{name}.{suffix}" in facts["links"], "the source is not offered"
    if name in NOTEBOOKS:
        made = facts["text"].partition("How this page was made")[2]
        for word in ("Profile", "Device", "Python", "Torch", "Commit", "Executed on"):
            assert re.search(rf"^{word}: \S", made, flags=re.MULTILINE), f"{word} is missing"


@every_page
def test_links_lead_somewhere(on_desk: dict[str, Visit], origin: str, name: str) -> None:
    facts = on_desk[name].facts
    broken = [url for url in {*facts["links"], *facts["sources"]} if leads_nowhere(url, origin)]
    assert not broken


def file_of(url: str, origin: str) -> Path:
    """The file of the site that an address stands for."""
    return SITE / unquote(urlsplit(url.removeprefix(origin)).path).lstrip("/")


def leads_nowhere(url: str, origin: str) -> bool:
    """Whether an internal target is missing, or an address outside is malformed."""
    if not url.startswith(origin):
        parts = urlsplit(url)
        return parts.scheme not in {"data", "mailto"} and not (
            parts.scheme == "https" and "." in parts.netloc
        )
    target = file_of(url, origin)
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return True
    anchor = unquote(urlsplit(url).fragment)
    return bool(anchor) and anchor not in anchors(target)


def anchors(path: Path) -> set[str]:
    return set(re.findall(r'\bid="([^"]+)"', path.read_text(encoding="utf-8")))


def test_search_finds(browser: Browser, origin: str) -> None:
    """Over HTTP with an excerpt, from a file without; both lead to the chapter."""
    for address in (origin, SITE.as_uri()):
        context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error, to=complaints: to.append(str(error)))
        page.goto(f"{address}/search.html?q=bottleneck")
        page.wait_for_selector("#search-results li a")
        found = page.locator("#search-results li a").evaluate_all("es => es.map(e => e.href)")
        page.wait_for_function("() => !Object.keys(window.Search?._pulse_status ?? {}).length")
        assert any("04-bottlenecks" in url for url in found), found
        assert not complaints
        context.close()


def test_keyboard_and_buttons(browser: Browser, origin: str) -> None:
    """Tab reaches the article's code, links and folded cells; the theme can be switched by key."""
    chapter = next(name for name in NOTEBOOKS if "01" in name)
    context = browser.new_context(viewport=DESK, color_scheme="light")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{origin}/{chapter}.html")
    settle(page)
    page.keyboard.press("Tab")
    assert "Skip to main content" in page.evaluate("() => document.activeElement.innerText")
    theme = "() => document.documentElement.dataset.theme"
    page.locator(".theme-switch-button").first.focus()
    seen = set()
    for _ in range(3):
        seen.add(page.evaluate(theme))
        page.keyboard.press("Enter")
    assert seen == {"light", "dark"}

    fold = page.locator("article details.hide summary").first
    shown = page.locator("article details.hide .cell_input").first
    assert not shown.is_visible()
    fold.focus()
    page.keyboard.press("Enter")
    assert shown.is_visible()
    inline = "() => document.querySelectorAll('article span.math [tabindex]').length"
    assert page.evaluate(inline) == 0, "equations in the text stop the Tab key"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.tagName"))
    assert {"A", "SUMMARY"} <= reached, reached
    context.close()


def test_next_and_previous_go_through_the_book(on_desk: dict[str, Visit], origin: str) -> None:
    for before, after in itertools.pairwise(PAGES):
        assert f"{origin}/{after}.html" in on_desk[before].facts["links"], f"{before} has no next"
        assert f"{origin}/{before}.html" in on_desk[after].facts["links"], f"{after}: no previous"


def test_front_page_leads_to_every_chapter(on_desk: dict[str, Visit], origin: str) -> None:
    front = on_desk[PAGES[0]].facts
    assert {f"{origin}/{name}.html" for name in NOTEBOOKS} <= set(front["inside"])
    assert [figure["number"] for figure in front["figures"]] == ["Fig. 1"]
    times = re.findall(r"(?:\d+ min|as you like)\s+\d+ (?:s|min)\b", front["text"])
    assert len(times) == len(NOTEBOOKS)


def test_exercises_have_the_numbers_of_their_files() -> None:
    shown = []
    for path in sorted((ROOT / "chapters").glob("0*.ipynb")):
        page = (SITE / "chapters" / f"{path.stem}.html").read_text(encoding="utf-8")
        shown += re.findall(r'"caption-number">(Exercise [\d.]+) </span> \((.+?)\)</p>', page)
    wanted = [(each.number, each.title) for each in exercises.every()]
    assert [(number, html.unescape(title)) for number, title in shown] == wanted


def test_glossary_is_linked_and_has_no_idle_words(on_desk: dict[str, Visit], origin: str) -> None:
    """Every entry is the aim of a link at some word's first use, and no word is linked twice."""
    entries = {
        f"{origin}/{GLOSSARY}.html#{anchor}"
        for anchor in anchors(SITE / f"{GLOSSARY}.html")
        if anchor.startswith("term-")
    }
    assert len(entries) >= 30
    used: set[str] = set()
    for name in PAGES:
        terms = on_desk[name].facts["terms"]
        assert len(terms) == len(set(terms)), f"{name} links a word twice"
        used |= set(terms)
    assert used <= entries
    aliases = ("BN", "unit", "10-crop")  # other words of an entry
    idle = {e for e in entries - used if not e.endswith(tuple(f"#term-{a}" for a in aliases))}
    assert not idle


def test_index_lists_every_figure_and_table(on_desk: dict[str, Visit]) -> None:
    listed = on_desk["chapters/figures"].facts["inside"]
    for name in PAGES:
        for figure in on_desk[name].facts["figures"]:
            assert any(url.endswith(f"{name}.html#{figure['id']}") for url in listed), figure


def test_references_say_whom_they_mean(on_desk: dict[str, Visit]) -> None:
    text = on_desk["chapters/references"].facts["text"]
    assert "[He et al. 2016a]" in text and "[He et al. 2016b]" in text
    assert "He et al. (2016a)" in on_desk[PAGES[0]].facts["text"]
    labels = re.findall(r"^\[[^\]]+\]", text, flags=re.MULTILINE)
    assert len(labels) > 8 and all(re.search(r" \d{4}[a-z]?\]$", label) for label in labels), labels


BAD = """<html lang="en"><title>bad</title><body><article><h3>no first heading</h3>
<div style="width: 900px">wide</div><table style="width: 900px"><tr><td>no header</td></tr></table>
<svg width="9" height="9" style="background: #fff"></svg><span class="math">x^2</span>
<p style="color: #999">pale</p>
<img src="http://elsewhere.invalid/x.png" alt=""><a href="nowhere.html">a link</a>
<script>console.error("no good")</script></article></body></html>"""


def test_these_checks_can_fail(browser: Browser, tmp_path: Path) -> None:
    """A page with every fault: each is seen."""
    bad = tmp_path / "bad.html"
    bad.write_text(BAD)
    seen = visit(browser, bad.as_uri(), PHONE)
    assert "http://elsewhere.invalid/x.png" in seen.requests
    assert any("no good" in complaint for complaint in seen.complaints)
    assert any("color-contrast (serious)" in barrier for barrier in seen.barriers)
    facts = seen.facts
    assert facts["overflow"] > 0 and facts["wide"] and facts["cut"] and facts["bare"]
    assert facts["headings"] == [3] and facts["pale"]
    assert [picture["alt"] for picture in facts["pictures"]] == ["", ""]
    assert not facts["equations"][0]["set"]
    assert leads_nowhere("http://local/nowhere.html", "http://local")
    assert leads_nowhere("http://plain.example.org/", "http://local")
    assert not leads_nowhere("https://example.org/", "http://local")
