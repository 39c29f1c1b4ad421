"""The browser that the site's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import FLAGS, NAMES, found_browser
from playwright.sync_api import Browser, sync_playwright
from toybook import missing


# Not for the whole session: while Playwright runs, nbval could not use this thread's event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """An installed browser."""
    found = found_browser()
    if found is None:
        missing(f"no browser: none of {', '.join(NAMES)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()
