"""The exercises by name, and how a cell of one is run."""

from __future__ import annotations

import ast
from typing import Any

import resnet
from tools.build import exercises

EVERY = {exercise.slug: exercise for exercise in exercises.every()}


def run(source: str, names: dict[str, object]) -> object:
    """Run a cell; the value of its last line, as in a notebook."""
    tree = ast.parse(source)
    last = tree.body.pop()
    exec(compile(tree, "<cell>", "exec"), names)
    if isinstance(last, ast.Expr):
        return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    exec(compile(ast.Module([last], []), "<cell>", "exec"), names)
    return None


def solved(slug: str) -> dict[str, Any]:
    """The names that the solution defines."""
    names: dict[str, Any] = {}
    run("\n".join([*EVERY[slug].imports, EVERY[slug].starter]), names)
    run(EVERY[slug].solution, names)
    return names


def judged(slug: str, names: dict[str, Any]) -> resnet.check.Feedback:
    found = run(EVERY[slug].check, {**names, "resnet": resnet})
    assert isinstance(found, resnet.check.Feedback)
    return found
