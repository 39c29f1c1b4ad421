"""Inside the module imports go one way: each folder imports itself and what MAY allows it."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import resnet

FOLDER = Path(resnet.__file__).parent
MAY = {
    "networks": set(),  # the files at the top
    "data": {"networks"},
    "training": {"networks", "data"},
    "reproduce": {"networks", "data", "training"},
    "check": {"networks", "data", "training", "reproduce"},
    "book": {"networks", "training", "reproduce"},
}  # fmt: skip


def name(path: Path) -> str:
    return ".".join(["resnet", *path.relative_to(FOLDER).with_suffix("").parts])


PATHS = {name(path): path for path in FOLDER.rglob("*.py")}


def folder(module: str) -> str:
    return module.split(".")[1] if module.count(".") > 1 else "networks"


def imported(path: Path) -> set[str]:
    """The module's own files that a file imports, at its top or inside a function."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    found = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            files = {f"{node.module}.{a.name}" for a in node.names}
            found |= files if files <= set(PATHS) else {f"{node.module}", *files & set(PATHS)}
    found = {f"{m}.__init__" if f"{m}.__init__" in PATHS else m for m in found}
    return {module for module in found if module.split(".")[0] == "resnet"}


# what is at the very top may import everything
GRAPH = {m: imported(path) for m, path in PATHS.items() if not m.startswith("resnet.__")}


def test_imports_go_one_way() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in GRAPH.items()
        for other in others
        if folder(other) not in {folder(module), *MAY[folder(module)]} or other not in GRAPH
    ]
    assert not wrong


def test_no_circle() -> None:
    TopologicalSorter(GRAPH).prepare()
