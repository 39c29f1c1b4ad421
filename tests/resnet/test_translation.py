"""A reader's language reaches figures, tables and checks; English is there without a catalogue."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from catalogue import KEYWORDS, messages

import resnet
from resnet.translation import _, ngettext

FOLDER = Path(resnet.__file__).parent


def test_without_a_catalogue_texts_are_english() -> None:
    assert _("a text with {braces}") == "a text with {braces}"
    assert _("{n:,} of {what!r}", n=1234, what="x") == "1,234 of 'x'"
    assert ngettext("{n} {word}", "{n} {word}s", 1, word="run") == "1 run"
    assert ngettext("{n} {word}", "{n} {word}s", 2, word="run") == "2 runs"


def test_the_catalogue_has_every_text() -> None:
    """What Python's own parser finds in the calls, Babel finds, too; nothing is put together."""
    functions = {"_": 1, "ngettext": 2, "Wrong": 1, "Missing": 1, "Reused": 1}
    assert set(functions) <= set(KEYWORDS)
    found, computed = set(), set()
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                for text in node.args[: functions.get(node.func.id, 0)]:
                    if isinstance(text, ast.Constant):
                        found.add(text.value)
                    elif node.func.id == "_":
                        computed.add(path.name)
    assert computed == {"running.py"}  # where Wrong translates its own text
    assert found == messages() and len(found) > 400


SHOWN = """
from resnet import cifar_resnet, check, layer_table
from resnet.book import drawings
from resnet.reproduce import verdict, CLAIMS
print(drawings.plain_and_residual().alt)
print(layer_table(cifar_resnet(8), (1, 3, 32, 32), depth=1))
print(verdict(CLAIMS["degradation"], []).verdict)
print(CLAIMS["degradation"].title, CLAIMS["faster"].source, CLAIMS["costs"].statement)
print(CLAIMS["d2l"].settings["cpu"].note)
print(check.steps_nested(lambda a, b: 3))
print(check.steps_nested(lambda a, b: print("?")))
"""


def test_a_translation_is_shown(tmp_path: Path) -> None:
    """A toy language, every text in capitals, in a new process: it is chosen at the start."""
    toy = Catalog(locale="eo")
    for text in messages():
        toy.add(text, string=capitals(text))
    forms = ("{n:,} {word}", "{n:,} {word}s")
    toy.delete(forms[0])
    toy.add(forms, string=("{n} \u00d7 {word}", "{n} \u00d7 {word}"))
    folder = tmp_path / "eo" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "resnet.mo").open("wb") as file:
        write_mo(file, toy)
    environment = {**os.environ, "TEXTDOMAINDIR": str(tmp_path), "LANGUAGE": "eo"}
    command = [sys.executable, "-c", SHOWN]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    out = shown.stdout
    assert out.startswith("TWO COLUMNS OF BOXES.")  # a figure
    assert "OUTPUT SHAPE" in out and "TOTAL" in out  # a table
    assert "NOT RUN" in out  # a verdict
    assert "DEGRADATION He et al. 2016a, SEC. 4.1" in out  # a claim, the paper's name as it is
    assert "THE TUTORIAL'S OWN RECIPE" in out  # a setting
    assert "NOT YET (steps_nested): contained(1, 1) IS 3; EXPECTED TRUE OR FALSE." in out  # a check
    assert "1 \u00d7 LINE" in out  # a plural


def capitals(text: str) -> str:
    """The text in capitals, but for the names of its values."""
    return re.sub(r"{[^}]*}|[^{]+", lambda m: m[0] if m[0][0] == "{" else m[0].upper(), text)
