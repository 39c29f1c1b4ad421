"""Texts in the reader's language, by Python's `gettext`.

The language is the environment's (LANGUAGE, LC_ALL, LC_MESSAGES or LANG), English where there is no
catalogue of it. A catalogue is LANGUAGE/LC_MESSAGES/resnet.mo in the folder that TEXTDOMAINDIR
names, or else in `locales` beside this file; CONTRIBUTING.md says how to make one.
"""

import gettext
import os
from pathlib import Path

LOCALES = os.environ.get("TEXTDOMAINDIR") or Path(__file__).with_name("locales")

catalogue = gettext.translation("resnet", LOCALES, fallback=True)


def _(text: str, /, **values: object) -> str:
    """Return a text in the reader's language, with `values` in its places."""
    text = catalogue.gettext(text)
    return text.format(**values) if values else text


def ngettext(one: str, many: str, n: int, /, **values: object) -> str:
    """Return the form of a text that belongs to the number `n`, likewise."""
    return catalogue.ngettext(one, many, n).format(n=n, **values)
