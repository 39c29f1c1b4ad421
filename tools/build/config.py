"""The book's two configuration files, read and checked, and the form in which they are staged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import yaml

from ..common import CHAPTERS, ROOT, BookError

CONFIG = ROOT / "_config.yml"
TOC = ROOT / "_toc.yml"
BUTTONS = ("use_repository_button", "use_issues_button", "use_edit_page_button")


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BookError(f"cannot read {path.name}: {error}") from error
    if not isinstance(content, dict):
        raise BookError(
            f"{path.name} holds {type(content).__name__}, not a mapping of keys to values."
        )
    return cast(dict[str, Any], content)


def address(config: dict[str, Any]) -> str:
    """Return the repository's public address, or "" while it is not set in _config.yml."""
    url = (
        str((config.get("repository") or {}).get("url") or "")
        .strip()
        .rstrip("/")
        .removesuffix(".git")
    )
    if url and not url.startswith("https://"):
        raise BookError(
            f'_config.yml: repository.url is "{url}". Write the whole address, from https:// on, '
            'or leave it "" to build pages without links to a repository.'
        )
    return url


def site(address: str) -> str:
    """Return where GitHub Pages publishes a repository, or "" if that is not known."""
    found = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+)", address)
    if found is None:
        return ""
    owner, name = found.groups()
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def staged_config(config: dict[str, Any], footer: str = "") -> dict[str, Any]:
    """Return what Jupyter Book gets: links to a repository only where its address is known.

    `footer` is put under every page. It is passed in late because it holds a date, which must not
    make an unchanged book look changed.
    """
    url = address(config)
    staged = dict(config)
    staged["repository"] = {**(config.get("repository") or {}), "url": url}
    staged["html"] = {**(config.get("html") or {}), **dict.fromkeys(BUTTONS, bool(url))}
    staged["html"].setdefault("baseurl", site(url))
    if not url:
        staged["launch_buttons"] = {"colab_url": "", "notebook_interface": "classic"}
    if footer:
        staged["html"]["extra_footer"] = f"<p>{footer}</p>"
    return staged


def pages() -> list[str]:
    """Return the pages in the order of _toc.yml, as paths without suffix.

    Raises BookError where the table of contents and the folder chapters/ disagree.
    """
    toc = read_yaml(TOC)
    parts = [toc, *(toc.get("parts") or [])]
    entries = [entry for part in parts for entry in part.get("chapters") or []]
    entries.insert(0, {"file": toc.get("root")})
    listed = [str(entry.get("file")) for entry in entries]
    found = {
        path.relative_to(ROOT).with_suffix("").as_posix(): path.name
        for path in sorted(CHAPTERS.iterdir())
        if path.suffix in {".ipynb", ".md"}
    }
    if missing := [name for name in listed if name not in found]:
        raise BookError(
            f"_toc.yml lists {', '.join(missing)}, but there is no such .ipynb or .md file. "
            "Correct the name, or take the line out of _toc.yml."
        )
    if unlisted := [name for page, name in found.items() if page not in listed]:
        raise BookError(
            f"chapters/{', chapters/'.join(unlisted)} is not in _toc.yml: no reader would find it. "
            "Add it there, or move the file out of chapters/."
        )
    if twice := sorted({name for name in listed if listed.count(name) > 1}):
        raise BookError(f"_toc.yml lists {', '.join(twice)} twice. Take one of the lines out.")
    return listed


def captions() -> dict[str, str]:
    """Return the captions of the book's parts, each by the page that the part begins with."""
    listed = read_yaml(TOC).get("parts") or []
    return {str(part["chapters"][0]["file"]): str(part.get("caption") or "") for part in listed}


def notebooks() -> list[Path]:
    """Return the chapters that are notebooks, in the order of _toc.yml."""
    return [path for page in pages() if (path := ROOT / f"{page}.ipynb").is_file()]
