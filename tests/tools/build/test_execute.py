"""What a chapter's executed copy was made from."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools.build import execute
from tools.common import digest_of_files


def test_digest_sees_source_and_tags_and_no_outputs() -> None:
    def digest(source: str = "1", others: str = "a", outputs: int = 0, **metadata: object) -> str:
        cell = new_code_cell(source, id="one", metadata=metadata, execution_count=outputs)
        return execute.digest(new_notebook(cells=[cell]), others)

    same = digest()
    assert digest(outputs=7) == same
    changed = [digest("2"), digest(others="b"), digest(tags=["nbval-skip"]), digest(mystnb={})]
    assert len({same, *changed}) == 5


def test_dependencies_see_profile_module_and_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("resnet/nets.py", "results/reproduce/one.json", "requirements.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    monkeypatch.setattr(execute, "__file__", str(tmp_path / "none"))
    monkeypatch.setattr(execute, "digest_of_files", partial(digest_of_files, base=tmp_path))
    monkeypatch.setattr(execute, "files_under", lambda folder: sorted(folder.rglob("*.*")))
    seen = [execute.dependencies("quick"), execute.dependencies("full")]
    for name in ("resnet/nets.py", "results/reproduce/one.json", "requirements.txt"):
        (tmp_path / name).write_text("new")
        seen.append(execute.dependencies("quick"))
    assert len(set(seen)) == 5
