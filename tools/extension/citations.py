"""Citations that say whom they mean: [He et al. 2016a] and He et al. (2016a), not [HZRS16a].

sphinxcontrib-bibtex's own `author_year` prints an entry's bare year, so both papers are "2016".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pybtex.plugin
from pybtex.richtext import Text
from pybtex.style.formatting.unsrt import Style
from pybtex.style.labels.alpha import LabelStyle
from pybtex.style.template import node
from sphinx.application import Sphinx
from sphinxcontrib.bibtex.plugin import register_plugin
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.basic_label import BasicLabelTextualReferenceStyle
from sphinxcontrib.bibtex.style.referencing.label import LabelReferenceStyle
from sphinxcontrib.bibtex.style.template import join, reference

NAME = "names"


class Names(LabelStyle):
    """Labels of family names and year; the letter of works that agree is alpha's business."""

    def format_label(self, entry: Any) -> str:
        """Return one label, without the letter."""
        names = [" ".join(person.last_names) for person in entry.persons["author"]]
        names = [name.replace("{", "").replace("}", "") for name in names]
        who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        return f"{who} {entry.fields['year']}"


class ByNames(Style):
    """The list of references, sorted and labelled by names."""

    default_label_style = NAME
    default_sorting_style = "author_year_title"


@node
def year(children: Iterable[Any], data: dict[str, Any]) -> Text:
    """Return the year of a label, with its letter."""
    return Text(data["formatted_entry"].label.rpartition(" ")[2])


@dataclass
class Textual(BasicLabelTextualReferenceStyle):
    """A reference as a part of the sentence: He et al. (2016a)."""

    def inner(self, role_name: str) -> Any:
        """Return the template of one reference."""
        who = self.person.author_or_editor_or_title(full="s" in role_name)
        return reference[join[who, " (", year, ")"]]


@dataclass
class Referencing(LabelReferenceStyle):
    """References by label, except in the text of a sentence."""

    bracket_textual: BracketStyle = field(default_factory=lambda: BracketStyle(left="", right=""))

    def __post_init__(self) -> None:
        super().__post_init__()
        textual = Textual(bracket=self.bracket_textual, person=self.person)
        self.role_style.update(dict.fromkeys(textual.role_names(), textual))


def setup(app: Sphinx) -> None:
    """Make the styles known to pybtex and to sphinxcontrib-bibtex by name."""
    pybtex.plugin.register_plugin("pybtex.style.labels", NAME, Names)
    pybtex.plugin.register_plugin("pybtex.style.formatting", NAME, ByNames)
    register_plugin("sphinxcontrib.bibtex.style.referencing", NAME, Referencing)
