"""PDF and EPUB: of a toy book as a whole, and those of the book where they have been made."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from bs4 import BeautifulSoup
from docutils.utils.math import MathError
from nbformat.v4 import new_code_cell, new_markdown_cell
from pypdf import PdfReader
from toybook import ROOT, chapter, figure_cell, make_toy, missing, run_book

from tools.build import config, pages
from tools.build.pictures import own_ids
from tools.common import BookError
from tools.extension.epub import cleaned, mathml
from tools.paper import downloads, pdf, single
from tools.paper.browser import NAMES, found_browser

XHTML = "{http://www.w3.org/1999/xhtml}"
PLACE = '<p class="whole-book screen-only" hidden></p>'
EXERCISE = """\
## Exercises

:::{exercise} A first one
:label: ex-first

What is $1 + 1$?
:::

<details>
<summary>Hint 1</summary>

Count on your fingers.

</details>

:::{solution} ex-first
:class: dropdown

It is two.
:::"""
EQUATION = """\
```{math}
:label: eq-first
f^*_{\\mathcal{F}} = \\operatorname*{argmin}_{f} \\sum_i L(x_i), \\dots
```

By {eq}`eq-first`, see {numref}`fig-line` and [the intro](intro.md), or
[elsewhere](https://example.org/)."""
LONG = "print('x' * 200)  # " + "a long line of code " * 9


def folded(source: str) -> object:
    return new_code_cell(source, metadata={"tags": ["hide-input"]})


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy book with all that the two forms treat, and its site."""
    one = chapter(
        new_markdown_cell(EQUATION),
        figure_cell(),
        folded("'code that only draws'.upper()"),
        new_code_cell(LONG),
        new_markdown_cell(EXERCISE),
        new_code_cell("answer = ...", metadata={"tags": ["starter"]}),
        new_code_cell(
            "print('nothing', 'yet')",
            metadata={"tags": ["nbval-check-output"]},
            outputs=[nbformat.v4.new_output("stream", name="stdout", text="nothing yet\n")],
        ),
    )
    folder = make_toy(tmp_path_factory.mktemp("on paper, naïve"), one=one)
    intro = folder / "chapters" / "intro.md"
    intro.write_text(f"{intro.read_text()}\n{PLACE}\n")
    done = run_book(folder, "build")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def toy_pdf(toy: Path) -> PdfReader:
    needs_browser()
    done = run_book(toy, "pdf")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^_build/html/resnet-book\.pdf: \d+ pages, ", done.stdout, re.MULTILINE)
    return PdfReader(toy / "_build" / "html" / "resnet-book.pdf")


@pytest.fixture(scope="module")
def toy_epub(toy: Path) -> Iterator[zipfile.ZipFile]:
    done = run_book(toy, "epub")
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(toy / "_build" / "html" / "resnet-book.epub") as file:
        yield file


def needs_browser() -> None:
    if found_browser() is None:
        missing(f"no browser prints the PDF: none of {', '.join(NAMES)} is installed")


def text_of(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def names_in(outline: object) -> list[str]:
    """The titles of an outline, of all levels."""
    if isinstance(outline, list):
        return [name for part in outline for name in names_in(part)]
    return [str(outline.title)]  # type: ignore[attr-defined]


def dead_links(reader: PdfReader) -> list[str]:
    """Where links within a PDF lead that are no place in it."""
    known = set(reader.named_destinations)
    dead = []
    for page in reader.pages:
        for note in page.get("/Annots") or []:
            about = note.get_object()
            to = about.get("/Dest") or about.get("/A", {}).get("/D")
            if isinstance(to, str) and to not in known:
                dead.append(to)
    return dead


def addresses(reader: PdfReader) -> set[str]:
    found = set()
    for page in reader.pages:
        for note in page.get("/Annots") or []:
            found.add(str(note.get_object().get("/A", {}).get("/URI", "")))
    return found - {""}


# The PDF


def test_pdf_has_contents_with_page_numbers_and_an_outline(toy_pdf: PdfReader) -> None:
    text = text_of(toy_pdf)
    assert "How ResNet really works" in toy_pdf.pages[0].extract_text()
    contents = toy_pdf.pages[1].extract_text()
    listed = dict(re.findall(r"^(Toy|First|Hints and solutions)\s+(\d+)$", contents, re.MULTILINE))
    assert set(listed) == {"Toy", "First", "Hints and solutions"}, contents
    for title, number in listed.items():
        assert title in toy_pdf.pages[int(number) - 1].extract_text()
    assert "??" not in text
    assert {"First", "Exercises", "Hints and solutions"} <= set(names_in(toy_pdf.outline))


def test_pdf_pages_are_numbered_and_headed(toy_pdf: PdfReader) -> None:
    for number, page in enumerate(toy_pdf.pages, start=1):
        lines = page.extract_text().split("\n")
        assert (str(number) in lines) == (number > 1), lines
    last = toy_pdf.pages[-1].extract_text()
    assert last.count("Hints and solutions") == 2  # heading, and head of the page


def test_pdf_links_lead_somewhere(toy_pdf: PdfReader) -> None:
    assert not dead_links(toy_pdf)
    assert addresses(toy_pdf) == {"https://example.org/"}
    places = {name.rpartition("--")[2] for name in toy_pdf.named_destinations}
    assert {"fig-line", "equation-eq-first", "ex-first"} <= places


def test_pdf_leaves_out_what_a_reader_of_paper_cannot_use(toy_pdf: PdfReader) -> None:
    text = text_of(toy_pdf)
    assert ".upper()" not in text and "CODE THAT ONLY DRAWS" in text
    assert "import resnet" not in text and 'profile = "quick"' not in text
    assert "Show code" not in text
    assert "answer = ..." in text and "nothing yet" not in text


def test_pdf_has_hints_and_solutions_at_its_end(toy_pdf: PdfReader) -> None:
    pages_of = [page.extract_text() for page in toy_pdf.pages]
    asked = next(i for i, text in enumerate(pages_of) if "A first one" in text and i > 1)
    assert "Count on your fingers" not in pages_of[asked] and "It is two" not in pages_of[asked]
    assert f"Hints and solution: page {len(pages_of)}" in " ".join(pages_of[asked].split())
    assert "Count on your fingers" in pages_of[-1] and "It is two" in pages_of[-1]


def test_pdf_wraps_code_and_draws_figures_as_lines(toy_pdf: PdfReader) -> None:
    text = re.sub(r"\s+", "", text_of(toy_pdf))
    assert "x" * 200 in text and "alonglineofcode" * 9 in text
    assert not [image for page in toy_pdf.pages for image in page.images]
    assert toy_pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]  # tagged, for who hears it


def test_pdf_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pdf, "found_browser", lambda: None)
    with pytest.raises(BookError, match=r"a browser prints the PDF.*apt-get install chromium"):
        pdf.build(tmp_path / "x.pdf")
    monkeypatch.setattr(pages, "HTML", tmp_path)
    for kind in downloads.KINDS:
        with pytest.raises(BookError, match="no site in _build/html; run `make book`"):
            downloads.make(kind)


# The one page


@pytest.mark.parametrize(
    ("link", "to"),
    [
        ("#idea", "#one--idea"),
        ("two.html", "#two"),
        ("two.html#idea", "#two--idea"),
        ("../chapters/two.html#idea", "#two--idea"),
        ("https://example.org/a.html", "https://example.org/a.html"),
        ("../genindex.html", None),
        ("../_static/a.png", None),
    ],
)
def test_links_lead_within_the_one_page(link: str, to: str | None) -> None:
    assert single.target("chapters/one", link, {"chapters/one", "chapters/two"}) == to


def test_drawings_share_no_ids() -> None:
    drawing = '<svg><clipPath id="a"/><use href="#a"/><g clip-path="url(#a)"/></svg>'
    text = own_ids(f'<p id="a">{drawing}{drawing}</p>', "p-")
    assert text.startswith('<p id="a">')
    for number in (0, 1):
        own = f"p-{number}-a"
        assert text.count(f'id="{own}"') == text.count(f"url(#{own})") == 1
        assert text.count(f'href="#{own}"') == 1


# The EPUB


def chapters_of(file: zipfile.ZipFile) -> dict[str, ElementTree.Element]:
    names = [name for name in file.namelist() if name.startswith("chapters/")]
    return {name: ElementTree.fromstring(strict(file.read(name))) for name in names}


def strict(data: bytes) -> str:
    """Without the one entity that XML does not know and XHTML does."""
    return data.decode().replace("&nbsp;", " ")


def test_epub_has_equations_figures_and_no_script(toy_epub: zipfile.ZipFile) -> None:
    page = toy_epub.read("chapters/one.xhtml").decode()
    assert "<math" in page and "argmin" in page and "*argmin" not in page
    assert '<span class="eqno">(1)</span>' in page
    assert "<svg" in page and "<script" not in page and "<button" not in page
    assert not [name for name in toy_epub.namelist() if name.endswith((".js", ".woff2"))]
    opf = toy_epub.read("content.opf").decode()
    assert 'href="chapters/one.xhtml" properties="mathml svg"' in opf
    assert "How ResNet really works" in opf


def test_epub_leaves_out_folded_code_and_puts_solutions_last(toy_epub: zipfile.ZipFile) -> None:
    page = toy_epub.read("chapters/one.xhtml").decode()
    text = BeautifulSoup(page, "html.parser").get_text()
    assert ".upper()" not in text and "CODE THAT ONLY DRAWS" in text
    assert "import resnet" not in text and "Show code" not in text
    assert text.index("Count on your") < text.index("How this page") < text.index("It is two")
    assert "whole-book" not in toy_epub.read("chapters/intro.xhtml").decode()
    unfilled = ".tag_starter + .tag_nbval-check-output .cell_output"
    assert [
        found.get_text(strip=True) for found in BeautifulSoup(page, "html.parser").select(unfilled)
    ] == ["nothing yet"]
    assert unfilled in toy_epub.read("_static/paper.css").decode()


def test_epub_contents_list_sections(toy_epub: zipfile.ZipFile) -> None:
    listed = toy_epub.read("nav.xhtml").decode()
    assert "chapters/one.xhtml#exercises" in listed


def test_equations_that_cannot_be_translated_are_errors() -> None:
    assert "&" not in mathml(r"\operatorname{max}(a) \dots", block=False)
    with pytest.raises(MathError, match="nosuchcommand"):
        mathml(r"\nosuchcommand{x}", block=True)
    for misread in (r"\frac12 x", r"\tfrac{1}2", r"\frac 12"):
        with pytest.raises(MathError, match="need braces"):
            mathml(misread, block=False)


@pytest.mark.parametrize("name", ["frac", "tfrac", "dfrac"])
def test_fractions_have_no_attribute_that_epub_forbids(name: str) -> None:
    assert "<mfrac>" in mathml(rf"\{name}{{1}}{{2}} x", block=False)


def test_every_equation_of_the_site_can_be_translated() -> None:
    """Without an EPUB made: what MathJax sets is what the translator gets."""
    if not (pages.HTML / pages.STAMP).is_file():
        missing("no site in _build/html (`make book` builds it)")
    found = []
    for name in config.pages():
        page = BeautifulSoup((pages.HTML / f"{name}.html").read_text(), "html.parser")
        text = "\n".join(node.get_text() for node in page.select(".math.notranslate"))
        found += re.findall(r"\\[(\[](.+?)\\[)\]]", text, re.DOTALL)
    assert len(found) > 100
    for source in found:
        # Sphinx puts `split` around several lines, for MathJax alone
        bare = source.replace(r"\begin{split}", "").replace(r"\end{split}", "")
        assert "displaystyle" not in mathml(bare, block=False), source


def test_scripts_and_empty_curves_are_cleaned_away() -> None:
    text = '<svg><path style="a"/><path d="M0 0"/></svg><script type="x">{"a":1}</script>'
    assert cleaned(text, "n") == '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'


# Both on the site


def test_front_page_links_what_there_is(toy: Path, toy_epub: zipfile.ZipFile) -> None:
    page = BeautifulSoup((toy / "_build/html/chapters/intro.html").read_text(), "html.parser")
    place = page.select_one(".whole-book")
    assert place is not None and not place.has_attr("hidden")
    links = [str(link["href"]) for link in place.select("a")]
    assert "../resnet-book.epub" in links
    for link in links:
        assert (toy / "_build/html/chapters" / link).is_file()


def test_front_page_hides_the_place_while_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / f"{config.pages()[0]}.html"
    page.parent.mkdir()
    page.write_text(f"<p>Before</p>{PLACE.replace('hidden', '')}<p>After</p>")
    monkeypatch.setattr(pages, "HTML", tmp_path)
    downloads.link()
    assert page.read_text() == f"<p>Before</p>{PLACE}<p>After</p>"
    page.write_text("nothing")
    with pytest.raises(BookError, match="has 0 places"):
        downloads.link()


def made(kind: str) -> Path:
    """The book's own, which `make test` does not make."""
    path = downloads.path(kind)
    if not path.is_file():
        missing(f"no {path.relative_to(ROOT)} (`make {kind}` makes it)")
    return path


def test_the_book_as_pdf_is_whole() -> None:
    """Every chapter and section is there, on the page that the contents name."""
    reader = PdfReader(made("pdf"))
    assert 100 < len(reader.pages) < 400
    texts = [page.extract_text() for page in reader.pages]
    assert not [i for i, text in enumerate(texts, start=1) if "??" in text or r"\(" in text]
    assert not dead_links(reader)
    outline = names_in(reader.outline)
    for part in single.parts():
        shown = " ".join(part.title.split())
        assert shown in [" ".join(name.split()) for name in outline], part.title
    empty = [i for i, text in enumerate(texts, start=1) if len(text.split()) < 12]
    assert not empty, f"pages with next to nothing on them: {empty}"


def test_the_book_as_epub_is_whole() -> None:
    with zipfile.ZipFile(made("epub")) as file:
        found = chapters_of(file)
        assert [f"{name}.xhtml" for name in sorted(config.pages())] == sorted(found)
        words = {name: "".join(page.itertext()) for name, page in found.items()}
        for name, page in found.items():
            assert page.find(f".//{XHTML}h1") is not None, name
            assert not page.findall(f".//{XHTML}script"), name
            assert "??" not in words[name] and r"\(" not in words[name], name


def test_epubcheck_finds_nothing(toy: Path, toy_epub: zipfile.ZipFile) -> None:
    """The standard's own checker, of the toy and, where it has been made, of the book."""
    found = shutil.which("epubcheck")
    if found is None or shutil.which("java") is None:
        pytest.skip("epubcheck is not installed (Debian: apt-get install epubcheck)")
    # Debian's command is the archive itself
    command = ["java", "-jar", found] if Path(found).read_bytes()[:2] == b"PK" else [found]
    books = [toy / "_build" / "html" / "resnet-book.epub", downloads.path("epub")]
    for book in filter(Path.is_file, books):
        done = subprocess.run([*command, str(book)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
