"""A page of the built site in a real browser: what is there, and what stands in a reader's way."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import distribution
from typing import Any

from playwright.sync_api import Browser, Page

from tools.paper.browser import FLAGS, NAMES, found_browser

__all__ = ["FLAGS", "NAMES", "found_browser"]  # for the tests

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
  headings: [...document.querySelectorAll('article :is(h1, h2, h3, h4, h5, h6)')]
    .map(e => +e.tagName[1]),
  bare: [...document.querySelectorAll('article table')]
    .filter(e => !e.querySelector('th')).map(e => e.innerText.slice(0, 60)),
  cut: [...document.querySelectorAll('article :is(table, pre, mjx-container)')].filter(e => {
    for (let up = e; up.tagName != 'ARTICLE'; up = up.parentElement)
      if (['auto', 'scroll'].includes(getComputedStyle(up).overflowX)) return false;
    return e.getBoundingClientRect().right > innerWidth;
  }).map(e => e.innerText.slice(0, 60)),
  pale: [...document.querySelectorAll('article :is(svg, figure, [role=img])')]
    .filter(e => /^rgb/.test(getComputedStyle(e).backgroundColor) &&
      !/, 0\\)$/.test(getComputedStyle(e).backgroundColor)).map(e => e.outerHTML.slice(0, 60)),
  inside: [...document.querySelectorAll('article a[href]')].map(e => e.href),
  terms: [...document.querySelectorAll('article a.term')].map(e => e.href),
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
    table: !!e.querySelector('table'),
  })),
  pictures: [...document.querySelectorAll('article [role=img], article svg, article img')]
    .filter(e => !e.parentElement.closest('[role=img], svg, button'))
    .map(e => ({
      shown: e.outerHTML.slice(0, 80),
      figure: !!e.closest('figure'),
      alt: (e.tagName == 'IMG' ? e.alt : e.getAttribute('aria-label')) ?? '',
    })),
})"""


# The rules that a page must not break gravely: https://dequeuniversity.com/rules/axe/
AXE = distribution("axe-playwright-python").locate_file("axe_playwright_python/axe.min.js")
RUN_AXE = """async () => (await axe.run({preload: false, resultTypes: ['violations']})).violations
  .filter(v => ['critical', 'serious'].includes(v.impact))
  .map(v => `${v.id} (${v.impact}): ${v.nodes.map(n => n.target + ' ' + n.failureSummary)}`)"""


@dataclass
class Visit:
    """What the browser saw of one page."""

    facts: dict[str, Any] = field(default_factory=dict)
    barriers: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def visit(
    browser: Browser, address: str, size: dict[str, int], theme: str = "light", axe: bool = True
) -> Visit:
    """Open a page with nothing cached and wait until its equations are set."""
    context = browser.new_context(viewport=size, color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    seen = Visit()
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("requestfailed", lambda request: seen.complaints.append(f"failed: {request.url}"))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("console", partial(note_console, seen))
    try:
        page.goto(address, wait_until="load")
        settle(page)
        seen.facts = page.evaluate(GATHER)
        if axe:
            page.add_script_tag(path=str(AXE))
            seen.barriers = page.evaluate(RUN_AXE)
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
    page.evaluate("() => document.fonts.ready")
