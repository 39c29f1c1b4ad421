"""Resuming: the finished record equals the uninterrupted one, whatever happened on the way."""

from __future__ import annotations

import builtins
import io
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
from resnet.variants import network

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
    assert {p.name for p in tmp_path.iterdir()} == {
        "run.pt", "run.pt.previous", "run.pt.lock",
    }  # fmt: skip


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


def state(step: int, **changes: Any) -> dict[str, Any]:
    """What a checkpoint holds, small."""
    random = torch.Generator().get_state()
    run = {"network": "ResNet-8", "rows": [], "seconds": []}
    return {
        "model": {"weight": torch.arange(5.0) + step}, "optimizer": {}, "run": run, "step": step,
        "start": random, "random": random, "sums": torch.zeros(3), "seconds": 0.0,
        "torch": random, "cuda": None, **changes,
    }  # fmt: skip


def step(found: tuple[dict[str, Any] | None, str]) -> int:
    """The step of a state that was loaded without a word of damage, and whose tensor is right."""
    content, told = found
    assert content is not None and told == ""
    assert torch.equal(content["model"]["weight"], torch.arange(5.0) + content["step"])
    return int(content["step"])


def test_a_state_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.pt"
    assert load(path) == (None, "")
    save(state(3), path)
    assert step(load(path)) == 3
    assert torch.load(path, weights_only=True).keys() == state(3).keys()  # plain torch reads it


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def foreign(path: Path) -> None:
    torch.save({"weights": 1}, path)


def other_type(path: Path) -> None:
    torch.save(state(2) | {"step": "two"}, path)


def no_zip(path: Path) -> None:
    path.write_text("not a zip file")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (flip_a_bit, "is damaged: "),
        (cut, "is damaged: File is not a zip file"),
        (no_zip, "is damaged: File is not a zip file"),
        (foreign, "is not a checkpoint of this module"),
        (other_type, "is not a checkpoint of this module: wrong step"),
    ],
)
def test_damage_is_named_and_the_one_before_is_used(tmp_path: Path, spoil: Any, why: str) -> None:
    path = tmp_path / "a.pt"
    save(state(1), path)
    save(state(2), path)
    spoil(path)
    found, told = load(path)
    assert found is not None and step((found, "")) == 1
    assert f"{path} {why}" in told
    spoil(previous(path))
    with pytest.raises(CheckpointError, match="delete these files to train from the start"):
        load(path)


def test_no_flipped_bit_gets_through(tmp_path: Path) -> None:
    """A bit flipped here or there: the state is found damaged, or is what it was.

    Also where the zip file says of an entry that it is a folder: torch would then read nothing.
    """
    path = tmp_path / "a.pt"
    zeros = torch.zeros(3)
    save(state(1, run={}, start=zeros, random=zeros, sums=zeros, torch=zeros), path)
    content = path.read_bytes()
    directory = content.index(b"PK\x01\x02")
    damaged = 0
    for at in (*range(0, directory, 5), *range(directory, len(content))):
        path.write_bytes(content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :])
        try:
            found, _ = load(path)
        except CheckpointError:
            damaged += 1
        else:
            assert found is not None and step((found, "")) == 1, at
            assert torch.equal(found["sums"], zeros), at
    assert damaged > 100  # the rest is padding, or says when and by what it was written


def test_a_damaged_one_does_not_push_out_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the next save, whichever rename it was at: the good one is still there."""
    path = tmp_path / "a.pt"
    save(state(1), path)
    save(state(2), path)
    flip_a_bit(path)

    def killed(*_: object) -> None:
        raise Stop

    monkeypatch.setattr(checkpoints.os, "replace", killed)
    with pytest.raises(Stop):
        save(state(3), path)
    monkeypatch.undo()
    found, _ = load(path)
    assert found is not None and step((found, "")) == 1
    save(state(3), path)
    assert step(load(path)) == 3
    assert step(load(previous(path))) == 1


def test_lost_between_two_renames(tmp_path: Path) -> None:
    """Killed when the old file has its new name and the new one has not: the old one counts."""
    path = tmp_path / "a.pt"
    save(state(1), path)
    path.rename(previous(path))
    assert step(load(path)) == 1


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


@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
def test_disk_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    path = tmp_path / "a.pt"
    save(state(1), path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    class Full(io.FileIO):
        def write(self, content: Any) -> int:
            return full() or 0

    if moment == "write":
        monkeypatch.setattr(builtins, "open", lambda file, mode: Full(file, mode))
    else:
        monkeypatch.setattr(checkpoints.os, moment, full)
    with pytest.raises(CheckpointError, match=r"a\.pt could not be written .*No space left"):
        save(state(2), path)
    monkeypatch.undo()
    assert step(load(path)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_nothing_but_tensors_and_numbers_is_unpacked(tmp_path: Path) -> None:
    """A file that would run code is refused, though its checksums fit."""
    path = tmp_path / "a.pt"
    save(state(1, run={"network": Stop}), path)
    with pytest.raises(CheckpointError, match=r"a\.pt cannot be read: Weights only load failed"):
        load(path)


@pytest.fixture(scope="module")
def done(data: ImageData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("done") / "run.pt"
    train(data, path)
    return path


def changed(done: Path, path: Path, **changes: Any) -> None:
    """Write a finished training's file with other content."""
    torch.save(torch.load(done, weights_only=True) | changes, path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": 1}, "its seed is 0, not 1"),
        ({"recipe": Recipe(epochs=1, batch_size=50, lr=0.05)}, "its recipe is"),
        ({"precision": "bfloat16"}, "its precision is float32, not bfloat16"),
        ({"clean_images": 7}, "its clean_images is 0, not 7"),
        ({"model": network("ResNet-14", 10, 1)}, "its network is ResNet-8, not ResNet-14"),
    ],
)
def test_checkpoint_of_another_run(
    data: ImageData, done: Path, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=f"is of another run, {told}"):
        train(data, done, **options)


def test_checkpoint_of_other_data(data: ImageData, done: Path) -> None:
    with pytest.raises(ValueError, match=r"is of another run, its data is .*229"):
        train(data.first(train=229, test=10), done)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("ResNet-50", "ResNet-50, stride on 3x3"),
        ("ResNet-8", "ResNet-8, option C"),
        ("ResNet-8", "pre-activation ResNet-8"),
    ],
)
def test_checkpoint_of_another_variant(
    data: ImageData, done: Path, tmp_path: Path, before: str, now: str
) -> None:
    """Some of these have weights of the same names and shapes: only the name tells them apart."""
    path = tmp_path / "run.pt"
    run = torch.load(done, weights_only=True)["run"]
    changed(done, path, run=run | {"network": before})
    with pytest.raises(ValueError, match=f"another run, its network is {before}, not {now}:"):
        train(data, path, model=network(now, 10, 1))


@pytest.mark.parametrize(
    ("setting", "value"), [("processes", 2), ("sync_bn", True), ("compiled", True)]
)
def test_checkpoint_of_other_settings(
    data: ImageData, done: Path, tmp_path: Path, setting: str, value: Any
) -> None:
    """Those that this machine may not have."""
    path = tmp_path / "run.pt"
    run = torch.load(done, weights_only=True)["run"]
    changed(done, path, run=run | {"settings": run["settings"] | {setting: value}})
    with pytest.raises(ValueError, match=f"is of another run, its {setting} is {value}, not"):
        train(data, path)


@pytest.mark.parametrize(
    "changes",
    [
        {"run": {}},
        {"model": {"weight": torch.zeros(3)}},
        {"optimizer": {"state": {}, "param_groups": []}},
        {"sums": torch.zeros(2)},
        {"start": torch.zeros(3)},
        {"random": torch.zeros(3, dtype=torch.uint8)},
        {"torch": torch.zeros(3)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_wrong_content_is_told(
    data: ImageData, done: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """A sound file with the right keys, and something else behind one of them."""
    path = tmp_path / "run.pt"
    changed(done, path, **changes)
    with pytest.raises(CheckpointError, match=r"run\.pt does not fit this training \(.*delete it"):
        train(data, path)


def test_a_loss_that_is_no_number_is_never_saved(data: ImageData, tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    with pytest.raises(FloatingPointError):
        train(data, path, recipe=Recipe(epochs=1, batch_size=50, lr=1e30))
    found, _ = load(path)
    assert found is None or found["sums"].isfinite().all()


@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_wrong_interval(data: ImageData, value: float) -> None:
    with pytest.raises(ValueError, match=f"^save_every={value}: expected seconds, at least 0"):
        train(data, None, save_every=value)


def test_two_trainings_do_not_share_a_checkpoint(data: ImageData, tmp_path: Path) -> None:
    """The later one is told; the earlier one goes on, and its end gives the checkpoint free."""
    path, model = tmp_path / "run.pt", net()
    errors = []

    def another(*_: object) -> None:
        with pytest.raises(CheckpointError, match=r"run\.pt is in use by another training") as told:
            train(data, path)
        errors.append(told)

    hook = model.register_forward_pre_hook(another)
    run, _ = train(data, path, model=model)
    hook.remove()
    assert len(errors) > 1
    assert train(data, path)[0] == run


def test_a_place_that_cannot_be_written_is_told_before_the_training(
    data: ImageData, tmp_path: Path
) -> None:
    model = net()
    model.register_forward_pre_hook(lambda *_: pytest.fail("trained"))
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"^checkpoint='.*run\.pt' cannot be written \("):
        train(data, tmp_path / "file" / "run.pt", model=model)


def test_saved_by_the_clock(data: ImageData, tmp_path: Path) -> None:
    """With a long interval only the ends of epochs are saved."""
    path = tmp_path / "run.pt"
    saved = []
    inside = Saver.save
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Saver, "save", lambda self: (saved.append(self.state.step), inside(self)))
        train(data, path, save_every=1000)
    assert saved == [4, 8, 12]
