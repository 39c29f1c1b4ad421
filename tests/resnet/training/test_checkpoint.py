"""Resuming: the finished record equals the uninterrupted one, whatever happened on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from resnet import CheckpointError, ImageData, Recipe, Run, cifar_resnet, fit, load_data
from resnet.training import checkpoint as checkpoints
from resnet.training.checkpoint import Saver, load, previous, save

RECIPE = Recipe(
    epochs=3, batch_size=50, lr=0.05, momentum=0.9, weight_decay=1e-4, schedule="one-cycle",
    image_size=10, pad=2, flip=True, subtract_mean=True, label_smoothing=0.1, held_out=30,
)  # fmt: skip  # 4 steps an epoch, 12 in all


@pytest.fixture(scope="module")
def data() -> ImageData:
    return load_data("fashion-mnist", sample=True).first(train=230, test=10)


def net(seed: int = 0) -> nn.Module:
    """A small network with dropout, which draws from torch's own generator."""
    torch.manual_seed(seed)
    model = cifar_resnet(8, in_channels=1)
    model.fc = nn.Sequential(nn.Dropout(0.1), model.fc)
    return model


def train(data: ImageData, path: Path | None, **options: Any) -> tuple[Run, nn.Module]:
    model = options.pop("model", None) or net()
    recipe = options.pop("recipe", RECIPE)
    how = {"device": "cpu", "precision": "float32", "progress": False, "save_every": 0.0}
    return fit(model, data, recipe, checkpoint=path, **{**how, **options}), model


@pytest.fixture(scope="module")
def whole(data: ImageData) -> tuple[Run, nn.Module]:
    torch.manual_seed(0)
    return train(data, None)


class Stop(BaseException):
    pass


def stop_after(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop as soon as a state of this step is saved."""
    inside = Saver.save

    def and_stop(self: Saver) -> None:
        inside(self)
        if self.state.step == step:
            raise Stop

    monkeypatch.setattr(Saver, "save", and_stop)


@pytest.mark.parametrize("step", [1, 4, 5, 7, 8, 11])
def test_resumed_equals_uninterrupted(
    data: ImageData, whole: tuple[Run, nn.Module], tmp_path: Path, step: int
) -> None:
    """Bit for bit: rows and weights, stopped in the middle of an epoch or at its end."""
    path = tmp_path / "run.pt"
    with pytest.MonkeyPatch.context() as patch:
        stop_after(step, patch)
        with pytest.raises(Stop):
            train(data, path)
    run, model = train(data, path, model=net(seed=9))
    assert run == whole[0]
    assert len(run.seconds) == 3 and min(run.seconds) > 0
    for name, value in model.state_dict().items():
        assert torch.equal(value, whole[1].state_dict()[name]), name
    again, _ = train(data, path, model=net(seed=9))  # finished: nothing is left to do
    assert again == run


def test_checkpoints_do_not_change_the_result(
    data: ImageData, whole: tuple[Run, nn.Module], tmp_path: Path
) -> None:
    assert train(data, tmp_path / "run.pt")[0] == whole[0]
    assert {p.name for p in tmp_path.iterdir()} == {"run.pt", "run.pt.previous"}


PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_checkpoint as t
t.torch.set_num_threads({threads})
data = t.load_data("fashion-mnist", sample=True).first(train=230, test=10)
print("ready", flush=True)
t.train(data, Path(sys.argv[1]))[0].save(sys.argv[2])
"""


def test_kill_at_any_moment(data: ImageData, whole: tuple[Run, nn.Module], tmp_path: Path) -> None:
    """kill -9 again and again, a little later each time, until the run is through."""
    path, record = tmp_path / "run.pt", tmp_path / "run.json"
    program = PROGRAM.format(tests=str(Path(__file__).parent), threads=torch.get_num_threads())
    command = [sys.executable, "-c", program, str(path), str(record)]
    kills = 0
    for delay in (0.3, 60):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout and child.stdout.readline() == "ready\n"
        deadline = time.monotonic() + delay
        while time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.01)
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
            kills += 1
        child.wait()
        child.stdout.close()
    assert kills >= 1
    assert Run.load(record) == whole[0]


STATE = {"step": 3, "weights": torch.arange(5.0)}


def test_a_state_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.pt"
    assert load(path) == (None, "")
    save(STATE, path)
    found, told = load(path)
    assert found is not None and told == ""
    assert found["step"] == 3 and torch.equal(found["weights"], STATE["weights"])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def foreign(path: Path) -> None:
    torch.save({"weights": 1}, path)


@pytest.mark.parametrize("spoil", [flip_a_bit, cut, foreign])
def test_damage_is_named_and_the_one_before_is_used(tmp_path: Path, spoil: Any) -> None:
    path = tmp_path / "a.pt"
    save({"step": 1}, path)
    save({"step": 2}, path)
    spoil(path)
    found, told = load(path)
    assert found == {"step": 1}
    assert str(path) in told and ("damaged" in told or "not a checkpoint" in told)
    spoil(previous(path))
    with pytest.raises(CheckpointError, match="delete these files to train from the start"):
        load(path)


def test_a_damaged_one_does_not_push_out_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the next save, whichever rename it was at: the good one is still there."""
    path = tmp_path / "a.pt"
    save({"step": 1}, path)
    save({"step": 2}, path)
    flip_a_bit(path)

    def killed(*_: object) -> None:
        raise Stop

    monkeypatch.setattr(checkpoints.os, "replace", killed)
    with pytest.raises(Stop):
        save({"step": 3}, path)
    monkeypatch.undo()
    assert load(path)[0] == {"step": 1}
    save({"step": 3}, path)
    assert load(path) == ({"step": 3}, "")
    assert load(previous(path))[0] == {"step": 1}


def test_lost_between_two_renames(tmp_path: Path) -> None:
    """Killed when the old file has its new name and the new one has not: the old one counts."""
    path = tmp_path / "a.pt"
    save({"step": 1}, path)
    path.rename(previous(path))
    assert load(path) == ({"step": 1}, "")


def test_fit_warns_of_damage(
    data: ImageData, whole: tuple[Run, nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.pt"
    with pytest.MonkeyPatch.context() as patch:
        stop_after(6, patch)
        with pytest.raises(Stop):
            train(data, path)
    flip_a_bit(path)
    with pytest.warns(UserWarning, match=r"run\.pt is damaged.*going on from the one before"):
        assert train(data, path)[0] == whole[0]


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_disk_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    path = tmp_path / "a.pt"
    save({"step": 1}, path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.os, moment, full)
    with pytest.raises(CheckpointError, match=r"a\.pt could not be written .*No space left"):
        save({"step": 2}, path)
    monkeypatch.undo()
    assert load(path) == ({"step": 1}, "")
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_nothing_but_tensors_and_numbers_is_unpacked(tmp_path: Path) -> None:
    """A file that would run code is refused, though its digest fits."""
    path = tmp_path / "a.pt"
    save({"step": Stop}, path)
    with pytest.raises(CheckpointError, match=r"a\.pt cannot be read: Weights only load failed"):
        load(path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": 1}, "its seed is 0, not 1"),
        ({"recipe": Recipe(epochs=1, batch_size=50, lr=0.05)}, "its recipe is"),
        ({"precision": "bfloat16"}, "its settings is"),
    ],
)
def test_checkpoint_of_another_run(
    data: ImageData, tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    path = tmp_path / "run.pt"
    train(data, path)
    with pytest.raises(ValueError, match=f"is of another run, {told}"):
        train(data, path, **options)


def test_a_loss_that_is_no_number_is_never_saved(data: ImageData, tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    with pytest.raises(FloatingPointError):
        train(data, path, recipe=Recipe(epochs=1, batch_size=50, lr=1e30))
    found, _ = load(path)
    assert found is None or found["sums"].isfinite().all()


def test_saved_by_the_clock(data: ImageData, tmp_path: Path) -> None:
    """With a long interval only the ends of epochs are saved."""
    path = tmp_path / "run.pt"
    saved = []
    inside = Saver.save
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Saver, "save", lambda self: (saved.append(self.state.step), inside(self)))
        train(data, path, save_every=1000)
    assert saved == [4, 8, 12]
