"""The exercises by name, and how a cell of one is run."""

from __future__ import annotations

import ast

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
