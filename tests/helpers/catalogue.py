"""The catalogue of what can be translated, as `pybabel extract` finds it."""

from __future__ import annotations

import functools
from pathlib import Path

from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir

import resnet

# an answer's first line is its own; other keywords are gettext's
KEYWORDS = {**DEFAULT_KEYWORDS, "Wrong": (1,), "Missing": (1,), "Reused": (1,)}


@functools.cache
def messages() -> frozenset[str]:
    """The texts of the module in English, with their plurals."""
    folder = str(Path(resnet.__file__).parent)
    found = extract_from_dir(folder, [("**.py", "python")], keywords=KEYWORDS)
    texts = (text for _, _, text, _, _ in found)
    return frozenset(t for text in texts for t in ((text,) if isinstance(text, str) else text))
