"""Files that are there whole or not at all, and that go nowhere but to their own place."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from nobody import unprivileged

from resnet import CheckpointError, cifar_resnet, save_weights
from resnet.files import replacing, require_writable, write_whole
from resnet.training import checkpoint
from resnet.training.records import write_json

written = pytest.mark.parametrize(
    "write",
    [
        lambda path: write_json(path, {"rows": [0] * 50_000}),
        lambda path: checkpoint.save({"step": torch.zeros(50_000)}, path),
        lambda path: save_weights(cifar_resnet(8), path),
    ],
    ids=["record", "checkpoint", "weights"],
)


@written
def test_a_full_disk_is_told_with_the_file(small_disk: Path, write: Callable[[Path], None]) -> None:
    """On a disk that really is full; what was there before stays, and nothing else."""
    path = small_disk / "new"
    path.write_text("before")
    with pytest.raises((OSError, CheckpointError), match=r"No space left on device: .*/new'"):
        write(path)
    assert path.read_text() == "before" and list(small_disk.iterdir()) == [path]


@written
def test_a_link_is_not_followed(tmp_path: Path, write: Callable[[Path], None]) -> None:
    """Somebody has put one where the file is to be."""
    victim, path = tmp_path / "victim", tmp_path / "new"
    victim.write_text("precious")
    path.symlink_to(victim)
    write(path)
    assert victim.read_text() == "precious"
    assert path.stat().st_size > 8 and not path.is_symlink()
    assert {p.name for p in tmp_path.iterdir()} == {"victim", "new"}


def test_nor_is_a_link_where_it_is_written_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has guessed the name."""
    victim, path = tmp_path / "victim", tmp_path / "new"
    victim.write_text("precious")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "guessed")
    link = path.with_name("new.guessed.partial")
    link.symlink_to(victim)
    with pytest.raises(FileExistsError), replacing(path) as file:
        file.write(b"mine")
    assert victim.read_text() == "precious" and link.is_symlink() and not path.exists()


def test_two_writers_at_once_do_not_mix(tmp_path: Path) -> None:
    """Each file is whole when it takes its place, whoever begins and whoever ends first."""
    path = tmp_path / "a"
    for ends in ((0, 1), (1, 0)):
        writers = [replacing(path), replacing(path)]
        files = [writer.__enter__() for writer in writers]
        texts = [b"0" * 100_000, b"1" * 200_000]
        for file, text in zip(files, texts, strict=True):
            file.write(text[:50_000])
        for i in ends:
            files[i].write(texts[i][50_000:])
            writers[i].__exit__(None, None, None)
            assert path.read_bytes() == texts[i]
        assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_program_left_goes_in_time(tmp_path: Path) -> None:
    """Not at once: it may be another's who is about to write on. Nor what is not a file's part."""
    path, left, others = tmp_path / "a[1]", tmp_path / "a[1].x.partial", tmp_path / "a1.x.partial"
    for file in (left, others):
        file.write_text("half a")
    for age, there in ((10, True), (7200, False)):
        for file in (left, others):
            os.utime(file, (time.time() - age,) * 2)
        write_whole(path, "whole")
        assert left.exists() is there and others.exists()
    assert path.read_text() == "whole" and set(tmp_path.iterdir()) == {path, others}


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_places_that_can_be_written(tmp_path: Path) -> None:
    """Their folders are made; no argument, no file."""
    require_writable(record=tmp_path / "new" / "a", weights=None)
    assert list((tmp_path / "new").iterdir()) == []


def test_places_that_cannot_be_written(tmp_path: Path, open_folder: Path) -> None:
    """A folder, a name below a file, and a folder that may only be read."""
    (tmp_path / "file").touch()
    open_folder.chmod(0o555)
    for path in (tmp_path, tmp_path / "file" / "a", open_folder / "a"):
        with unprivileged(), pytest.raises(ValueError, match=r"^record='.*' cannot be written \("):
            require_writable(record=path)
