"""The whole book as one page to be printed, put together from the pages of the built site.

What a reader of paper cannot open is decided here. Code that only draws, and the set-up of a
notebook, are left out. Hints and solutions stand at the end of the book, each with its exercise, so
that nobody reads one by accident. Everything else that is folded on the screen is open.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from ..build import config, pages
from ..build.pictures import own_ids
from ..common import BookError, version

BACK = "hints-and-solutions"
# controls, marks of the screen, and cells of a notebook that nobody on paper needs
LEFT_OUT = (
    "script, button, form, input, select, .headerlink, .toctree-wrapper, .screen-only, .tag_setup, "
    ".tag_parameters, details.above-input"
)

# as on the pages: what is to be set is marked by Sphinx, and nothing else is looked at
MATHJAX = """MathJax = {options: {
  enableMenu: false, ignoreHtmlClass: "mathjax_ignore", processHtmlClass: "math"
}};"""


@dataclass
class Part:
    """A chapter: its page's name, its heading, its sections' headings, its content."""

    slug: str
    title: str
    content: Tag
    caption: str = ""  # of the part of the book that begins with it
    sections: list[tuple[str, str]] = field(default_factory=list)


def slug(page: str) -> str:
    """Return the name of a page within the one page."""
    return PurePosixPath(page).name


def article(page: str) -> Tag:
    """Return the content of a built page, or a BookError where there is none."""
    path = pages.HTML / f"{page}.html"
    try:
        text = own_ids(path.read_text(encoding="utf-8"), f"{slug(page)}--")
    except FileNotFoundError as error:
        raise BookError(f"there is no {page}.html in _build/html; run `make book`.") from error
    found = BeautifulSoup(text, "html.parser").select_one("article")
    if found is None:
        raise BookError(f"_build/html/{page}.html has no <article>.")
    return found


def target(page: str, link: str, known: set[str]) -> str | None:
    """Return where a page's link leads within the one page; None if it leads out of the book."""
    parts = urlsplit(link)
    if parts.scheme:
        return link
    folder = PurePosixPath(page).parent
    name = PurePosixPath(unquote(parts.path)).with_suffix("") if parts.path else None
    to = page if name is None else _joined(folder, name)
    if to not in known:
        return None
    return f"#{slug(to)}" + (f"--{parts.fragment}" if parts.fragment else "")


def _joined(folder: PurePosixPath, name: PurePosixPath) -> str:
    """Return a relative address as a page's name."""
    steps: list[str] = []
    for step in (folder / name).parts:
        if step == "..":
            steps = steps[:-1]
        else:
            steps.append(step)
    return "/".join(steps)


def localise(content: Tag, page: str, known: set[str]) -> None:
    """Make ids the page's own, and its links lead to where they now are; others become text."""
    name = slug(page)
    for link in content.select("a[href]"):
        to = target(page, str(link["href"]), known)
        if to is None:
            link.unwrap()
        else:
            link["href"] = to
    for tag in content.select("[id]"):
        if tag.find_parent("svg") is None and tag.name != "svg":
            tag["id"] = f"{name}--{tag['id']}"


def take_answers(content: Tag, soup: BeautifulSoup) -> Iterator[Tag]:
    """Take the hints and the solution of each exercise out of a chapter."""
    for exercise in content.select(".exercise"):
        answers = soup.new_tag("section", attrs={"class": "answers"})
        following = exercise.find_all_next(["details", "div", "h2"])
        for tag in following:
            classes = list(tag.get("class") or [])
            if tag.name == "h2" or "exercise" in classes:
                break
            if tag.find_parent(class_=["solution", "answers"]) or "hide" in classes:
                continue
            if tag.name == "details" or "solution" in classes:
                answers.append(tag.extract())
        if answers.contents:
            yield _with_links(exercise, answers, soup)


def _with_links(exercise: Tag, answers: Tag, soup: BeautifulSoup) -> Tag:
    """Return the answers under a heading that links to the exercise, which links to them."""
    label = exercise.select_one(".caption-number")
    heading = exercise.select_one(".admonition-title")
    if label is None or heading is None:
        raise BookError(f"the exercise {exercise.get('id')!r} has no number.")
    number, where = label.get_text(strip=True), f"{exercise['id']}--answers"
    title = soup.new_tag("h2", id=where)
    back = soup.new_tag("a", href=f"#{exercise['id']}")
    back.string = f"{number} {heading.get_text(' ', strip=True).removeprefix(number).strip()}"
    title.append(back)
    answers.insert(0, title)
    for repeated in answers.select(".solution > .admonition-title"):
        repeated.string = "Solution"
    forth = BeautifulSoup(
        f'<p class="to-answers"><a href="#{where}">Hints and solution</a>: page '
        f'<span class="page" data-of="{where}"></span></p>',
        "html.parser",
    )
    exercise.append(forth)
    return answers


def parts() -> list[Part]:
    """Return the chapters in their order, and after them the hints and solutions."""
    soup = BeautifulSoup("", "html.parser")
    known = set(config.pages())
    captions = config.captions()
    found, answers = [], soup.new_tag("section")
    for page in config.pages():
        content = article(page)
        for tag in content.select(LEFT_OUT):
            tag.decompose()
        for tag in content.select("noscript"):
            tag.unwrap()
        localise(content, page, known)
        for one in take_answers(content, soup):
            answers.append(one)
        for folded in content.select("details"):
            folded["open"] = ""
        for folded in content.select("details.hide"):
            for button in folded.find_all("summary", recursive=False):
                button.decompose()
            folded.unwrap()
        found.append(_part(slug(page), content, captions.get(page, "")))
    if answers.contents:
        heading = soup.new_tag("h1")
        heading.string = "Hints and solutions"
        answers.insert(0, heading)
        for hint in answers.select("details"):
            hint["open"] = ""
        found.append(_part(BACK, answers, ""))
    return found


def _part(name: str, content: Tag, caption: str) -> Part:
    heading = content.select_one("h1")
    if heading is None:
        raise BookError(f"the page {name} has no heading.")
    sections = []
    if name != BACK:
        for tag in content.select("h2"):
            where = tag.get("id") or (tag.parent and tag.parent.get("id"))
            if where:
                sections.append((str(where), tag.get_text().strip()))
    return Part(name, heading.get_text().strip(), content, caption, sections)


def contents(found: list[Part]) -> str:
    """Return the table of contents; its page numbers are put in when they are known."""

    def line(where: str, title: str, kind: str) -> str:
        shown = f'<span class="page" data-of="{where}"></span>'
        link = f'<a href="#{where}"><span>{html.escape(title)}</span></a>'
        return f'<li class="{kind}">{link}<i></i>{shown}</li>'

    lines = []
    for part in found:
        if part.caption:
            lines.append(f'<li class="part">{html.escape(part.caption)}</li>')
        lines.append(line(part.slug, part.title, "chapter"))
        lines += [line(where, title, "section") for where, title in part.sections]
    return f'<nav id="contents"><h1>Contents</h1><ul>{"".join(lines)}</ul></nav>'


def headers(found: list[Part]) -> str:
    """Return the rules that print each chapter's name at the head of its pages."""
    rules = []
    for number, part in enumerate(found):
        title = part.title.replace("\\", "").replace('"', "'")
        rules.append(
            f'@page part{number} {{ @top-center {{ content: "{title}"; }} }}\n'
            f'[id="{part.slug}"] {{ page: part{number}; }}'
        )
    return "\n".join(rules)


def made() -> str:
    """Return what the foot of the site's pages says about how they were made."""
    page = pages.HTML / f"{config.pages()[0]}.html"
    try:
        found = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    except FileNotFoundError as error:
        raise BookError("there is no site in _build/html; run `make book`.") from error
    foot = found.select_one(".extra_footer")
    return foot.get_text(" ", strip=True) if foot else ""


def whole(style: str) -> str:
    """Return the one page, with this style sheet: title, contents, chapters, answers."""
    settings = config.read_yaml(config.CONFIG)
    title, author = html.escape(settings["title"]), html.escape(settings["author"])
    found = parts()
    body = "\n".join(f'<article id="{part.slug}">{part.content}</article>' for part in found)
    static = "../html/_static"
    address = config.address(settings)
    where = f'<p><a href="{html.escape(address)}">{html.escape(address)}</a></p>' if address else ""
    return f"""<!doctype html>
<html lang="{settings["sphinx"]["config"]["language"]}" data-theme="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="author" content="{author}">
<link rel="stylesheet" href="{static}/pygments.css">
<style>
{style}
{headers(found)}
</style>
<script>{MATHJAX}</script>
<script defer src="{static}/mathjax/tex-chtml-full.js"></script>
</head>
<body>
<header id="title">
<h1>{title}</h1>
<p class="author">{author}</p>
<p>Version {version()}</p>
<aside>
{where}
<p>{html.escape(made())}</p>
<p>On the pages, code that only draws a figure can be unfolded, and figures may react; both are left
out here. Hints and solutions of the exercises are at the end.</p>
<p>Text and figures: CC BY 4.0. Code: MIT.</p>
</aside>
</header>
{contents(found)}
{body}
</body>
</html>
"""
