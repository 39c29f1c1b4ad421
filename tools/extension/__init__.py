"""The book's own Sphinx extension: what Jupyter Book lacks for these pages."""

from sphinx.application import Sphinx

from . import citations, epub, front, glossary, mend, numbered, readers, times


def setup(app: Sphinx) -> dict[str, bool]:
    """Register everything."""
    for part in (citations, epub, front, glossary, mend, numbered, readers, times):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
