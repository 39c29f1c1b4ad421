"""The EPUB: what Sphinx's builder lacks for these pages.

E-readers run no scripts. So equations are MathML, code that only draws is left out, what is folded
on a page is open, and solutions stand at the end of their chapter, where none is read by accident.
"""

import html
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.epub3 import Epub3Builder
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.math import get_node_equation_number

from ..build.pictures import own_ids

STYLES = ("_static/pygments.css", "_static/epub.css", "_static/paper.css")
# commands that docutils' translator does not know
# (or, the fractions, only with attributes that EPUB 3 forbids), by ones that it does
KNOWN = {
    r"\dots": r"\ldots",
    r"\operatorname*": r"\operatorname",
    r"\tfrac": r"\frac",
    r"\dfrac": r"\frac",
}


def mathml(source: str, block: bool) -> str:
    """Translate an equation; a MathError names what it does not know or would misread."""
    if misread := re.search(r"\\[td]?frac\s*(\{[^{}]*\}\s*)?[0-9]", source):
        raise MathError(f"'{misread[0]}': a fraction's parts need braces")
    for name, other in KNOWN.items():
        source = re.sub(rf"{re.escape(name)}(?![a-zA-Z])", other.replace("\\", r"\\"), source)
    translated = str(latex2mathml.tex2mathml(source.strip(), as_block=block))
    return re.sub(r"&(?!amp;|lt;|gt;|quot;)\w+;", lambda found: html.unescape(found[0]), translated)


def inline(translator: Any, node: nodes.math) -> None:
    """Write an equation within a sentence."""
    translator.body.append(mathml(node.astext(), False))
    raise nodes.SkipNode


def display(translator: Any, node: nodes.math_block) -> None:
    """Write an equation of its own, with its number."""
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})</span>')
    translator.body.append(f"{mathml(node.astext(), True)}</div>\n")
    raise nodes.SkipNode


class Unfold(SphinxPostTransform):
    """Arrange a page for who cannot open anything in it."""

    default_priority = 150  # before MyST-NB folds code
    builders = ("epub",)

    def run(self, **_: object) -> None:
        """Change the page's nodes."""
        for cell in list(self.document.findall(nodes.container)):
            classes = cell.get("classes", [])
            if {"tag_setup", "tag_parameters"} & set(classes):
                cell.parent.remove(cell)
            elif mode := cell.get("hide_mode"):
                if mode in ("input", "input+output", "all"):
                    cell.children = [
                        part
                        for part in cell.children
                        if part.get("nb_element") != "cell_code_source"
                    ]
                cell["hide_mode"] = ""
        for content in self.document.findall(nodes.section):
            content["ids"] = [name for name in content["ids"] if not name.endswith("-content")]
        self._put_solutions_last()
        for number, raw in enumerate(list(self.document.findall(nodes.raw))):
            text = cleaned(raw.astext(), f"n{number}-")
            raw.parent.replace(raw, nodes.raw("", text, format="html"))

    def _put_solutions_last(self) -> None:
        elements = self.document.findall(nodes.Element)
        solutions = [node for node in elements if "solution" in node.get("classes", [])]
        page = next(iter(self.document.findall(nodes.section)), None)
        if page is None or not solutions:
            return
        # no title node, which would be numbered as the chapter
        heading = nodes.raw("", "<h2>Solutions</h2>", format="html")
        last = nodes.section("", heading, ids=["solutions-of-this-page"])
        for solution in solutions:
            solution.parent.remove(solution)
            solution["ids"] = [name.replace("/", "-") for name in solution["ids"]]
            last += solution
        page += last


def cleaned(text: str, prefix: str) -> str:
    """Return a piece of HTML as XHTML: no scripts; drawings say what they are, and share no ids."""
    text = re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL)
    text = re.sub(r'<p class="[^"]*\bscreen-only\b[^>]*>.*?</p>', "", text, flags=re.DOTALL)
    text = re.sub(r"<path(?=[\s/>])(?![^>]*\sd=)[^>]*/>", "", text)  # an empty curve
    text = re.sub(r"<svg(?![^>]*\sxmlns=)", '<svg xmlns="http://www.w3.org/2000/svg"', text)
    return own_ids(text, prefix)


class Builder(Epub3Builder):
    """Sphinx's, with the contents of each file declared, as EPUB 3 demands."""

    def build_content(self) -> None:
        """Write content.opf."""
        super().build_content()
        path = Path(self.outdir) / "content.opf"
        text = path.read_text(encoding="utf-8")
        for name in self.files:
            page = Path(self.outdir) / name
            if page.suffix != ".xhtml":
                continue
            content = page.read_text(encoding="utf-8")
            found = [kind for kind, tag in (("mathml", "<math"), ("svg", "<svg")) if tag in content]
            if found:
                declared = f'href="{name}" properties="{" ".join(found)}"'
                text = text.replace(f'href="{name}"', declared, 1)
        path.write_text(text, encoding="utf-8")


def keep_styles(app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
    """Take away what extensions add to every page: their styles, for scripts that do not run."""
    if app.builder.name == "epub":
        files = context["css_files"]
        context["css_files"] = [file for file in files if getattr(file, "filename", file) in STYLES]
        context["script_files"] = []


def list_sections(app: Sphinx, document: nodes.document) -> None:
    """Let the table of contents have sections, which the site's navigation has elsewhere."""
    if app.builder.name == "epub":
        for tree in document.findall(addnodes.toctree):
            tree["titlesonly"] = False


def setup(app: Sphinx) -> None:
    """Register builder, renderer of equations, and transform."""
    app.add_builder(Builder, override=True)
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    app.add_post_transform(Unfold)
    app.connect("doctree-read", list_sections, priority=400)  # before Sphinx collects them
    app.connect("html-page-context", keep_styles, priority=900)
