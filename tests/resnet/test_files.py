"""Files that are there whole or not at all, and that go nowhere but to their own place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from nobody import unprivileged

from resnet import CheckpointError, cifar_resnet, save_weights
from resnet.files import replacing, require_writable
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
    """Somebody has put one where the file is written before it is whole."""
    victim, path = tmp_path / "victim", tmp_path / "new"
    victim.write_text("precious")
    path.with_name("new.partial").symlink_to(victim)
    write(path)
    assert victim.read_text() == "precious"
    assert path.stat().st_size > 8 and not path.is_symlink()
    assert {p.name for p in tmp_path.iterdir()} == {"victim", "new"}


def test_what_a_killed_program_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a"
    (tmp_path / "a.partial").write_text("half a")
    with replacing(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole" and list(tmp_path.iterdir()) == [path]


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
