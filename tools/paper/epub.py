"""The book as an EPUB: Sphinx's builder on the staged sources, which are executed already."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from ..build import config, pages
from ..common import BUILD, BookError, version
from . import single

STYLE = Path(__file__).with_name("paper.css")
SOURCE = BUILD / "epub-source"
WORK = BUILD / "epub"
BUILDER = ("--builder", "custom", "--custom-builder", "epub")
# of the site: for a browser alone
ONLY_SITE = ("sphinx_togglebutton", "sphinx_copybutton", "sphinx_design")


def settings() -> dict[str, Any]:
    """Return the book's configuration with what an EPUB needs."""
    staged = config.staged_config(config.read_yaml(config.CONFIG))
    sphinx = dict(staged["sphinx"]["config"])
    sphinx["extensions"] = [name for name in sphinx["extensions"] if name not in ONLY_SITE]
    sphinx |= {
        "version": version(),
        "html_math_renderer": "mathml",
        "html_extra_path": [],
        "html_static_path": ["_static"],
        "html_css_files": [],
        "html_js_files": [],
        "html_favicon": "",
        "epub_basename": "book",
        "epub_title": staged["title"],
        "epub_author": staged["author"],
        "epub_publisher": staged["author"],
        "epub_copyright": f"{staged['copyright']}, {staged['author']}. CC BY 4.0, code MIT.",
        "epub_description": f"Version {version()}. {single.made()}",
        "epub_identifier": f"resnet-book-{version()}",
        "epub_uid": f"resnet-book-{version()}",
        "epub_language": sphinx["language"],
        "epub_show_urls": "no",
        "epub_tocdepth": 2,
        "epub_tocscope": "includehidden",
        "epub_use_index": False,
        "epub_css_files": [STYLE.name],
    }
    staged["html"] = {key: value for key, value in staged["html"].items() if key != "favicon"}
    return {**staged, "sphinx": {**staged["sphinx"], "config": sphinx}}


def build(target: Path) -> str:
    """Build the book that is staged in _build/source to `target`; what there is to say of it.

    Warnings are errors.
    """
    if not ((pages.HTML / pages.STAMP).is_file() and pages.SOURCE.is_dir()):
        raise BookError("there is no site in _build/html; run `make book`.")
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(pages.SOURCE, SOURCE, ignore=shutil.ignore_patterns("_static", "_extra"))
    (SOURCE / "_static").mkdir()
    shutil.copy(STYLE, SOURCE / "_static")
    (SOURCE / config.CONFIG.name).write_text(yaml.safe_dump(settings()), encoding="utf-8")
    try:
        made_at = pages.jupyter_book(SOURCE, WORK, "pages of the EPUB", *BUILDER)
        (made_at / "epub" / "book.epub").replace(target)
        return "for e-readers; their own type and size"
    finally:
        shutil.rmtree(SOURCE, ignore_errors=True)
        shutil.rmtree(WORK, ignore_errors=True)
