"""The command line: what a newcomer types, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import two_processes

import resnet
from resnet.__main__ import main

QUICK = [
    "train", "--network", "ResNet-8", "--sample", "--recipe", "d2l", "--steps", "3", "--image-size",
    "8", "--batch-size", "20", "--device", "cpu", "--quiet",
]  # fmt: skip


def test_train_writes_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / "run.json"
    assert main([*QUICK, "--record", str(record), "--seed", "4"]) == 0
    run = resnet.Run.load(record)
    out = capsys.readouterr().out
    assert run.network == "ResNet-8" and run.seed == 4
    assert run.recipe["steps"] == 3 and run.recipe["epochs"] is None
    assert run.column("images") == [60]
    assert f"test loss {run.rows[-1]['test_loss']:.4f}" in out
    assert "sample of Fashion-MNIST" in out and "best test accuracy" in out
    assert run.command == ""  # nobody typed anything


def test_train_keeps_the_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They load by the network's name; a place that cannot be written is told before training."""
    path = tmp_path / "w.safetensors"
    assert main([*QUICK, "--weights", str(path)]) == 0
    assert f"weights in {path}" in capsys.readouterr().out
    assert resnet.load_weights(path, "ResNet-8").in_channels == 1
    assert main([*QUICK, "--weights", str(tmp_path)]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["ResNet-18", "pre-activation plain-8", "ResNet-8, width 8, option C, dropout"]
)
def test_networks_by_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--network", name, "--steps", "1"]) == 0
    assert capsys.readouterr().out.startswith(f"{name} after 1 epochs")


@pytest.mark.parametrize("options", [["--preact"], ["--shortcut", "A"]])
def test_what_a_name_says_has_no_option(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*QUICK, *options])
    assert f"unrecognized arguments: {options[0]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--network", "vgg16"], "name='vgg16': expected one like 'plain-56' or 'ResNet-20, drop"),
        (["--network", "resnet18"], "name='resnet18': expected one like 'plain-56'"),
        (["--network", "ResNet-9"], "depth=9: expected 6n + 2; nearest: 8 or 14"),
        (["--network", "ResNet-8, option A"], "expected 'ResNet-8'"),
        (["--data", "mnist"], "name='mnist': expected one of"),
        (["--lr", "-1"], "lr=-1.0: expected a number above 0"),
        (["--device", "abacus"], "device='abacus' cannot be used here"),
        (["--lr", "1e30"], "the loss of ResNet-8 became"),
    ],
)
def test_errors_are_told_in_one_line(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*QUICK, *options]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: ") and told in err
    assert "Traceback" not in err


def test_data_says_what_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "digits"]) == 0
    out = capsys.readouterr().out
    assert "1,618" in out and "sha256" in out


def test_help_names_every_option_and_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["--help"], ["train", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "torchrun" in out and "--checkpoint" in out and "default" in out


def test_interrupt_says_how_to_go_on(tmp_path: Path) -> None:
    """Ctrl-C: status 130 and no half-made record; training/test_checkpoint.py goes on from it."""
    checkpoint, record = tmp_path / "run.pt", tmp_path / "run.json"
    command = [
        sys.executable, "-m", "resnet", *QUICK, "--steps", "400", "--batch-size", "50",
        "--checkpoint", str(checkpoint), "--save-every", "0", "--record", str(record),
    ]  # fmt: skip
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not checkpoint.exists():
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert f"goes on from {checkpoint}" in err and "Traceback" not in err
    assert not record.exists()


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, resnet.Run]:
    """The records of two gloo processes under torchrun, without and with BN."""
    folder = tmp_path_factory.mktemp("two")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
            two_processes.__file__, str(folder),
        ],
        env=environment, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return {bn: resnet.Run.load(folder / f"bn-{bn}.json") for bn in (False, True)}


def test_two_processes_equal_one(by_two: dict[bool, resnet.Run]) -> None:
    """Without BN: the losses of one process with the same batches, to 1e-5."""
    one, two = two_processes.train(bn=False), by_two[False]
    assert (one.settings["processes"], two.settings["processes"]) == (1, 2)
    assert len(one.rows) == len(two.rows) == 2
    for a, b in zip(one.rows, two.rows, strict=True):
        assert a == pytest.approx(b, rel=1e-5)


def test_bn_of_two_processes_is_bn_of_each_share(by_two: dict[bool, resnet.Run]) -> None:
    """With BN: the losses of one process that normalises each process's images by themselves."""
    whole, shares = two_processes.train(bn=True), two_processes.train(bn=True, by_share=True)
    for row, as_one, as_two in zip(by_two[True].rows, whole.rows, shares.rows, strict=True):
        for name in ("train_loss", "train_accuracy"):
            assert row[name] == pytest.approx(as_two[name], rel=1e-5)
        assert row["train_loss"] != pytest.approx(as_one["train_loss"], rel=1e-4)


def test_bn_over_all_processes_needs_gpus(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--sync-bn"]) == 1
    assert "sync_bn=True on cpu: torch can do this on GPUs only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "told"),
    [("--record", "record='.*' cannot be written"), ("--checkpoint", "cannot be read: .*irectory")],
)
def test_a_folder_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    option: str, told: str,
) -> None:  # fmt: skip
    """Told before anything is trained."""
    monkeypatch.setattr(torch.optim.SGD, "step", lambda *_: pytest.fail("trained"))
    assert main([*QUICK, option, str(tmp_path)]) == 1
    assert re.search(f"^error: .*{told}", capsys.readouterr().err)


def test_bench_prints_and_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {
        "network": "ResNet-20", "input": [2, 3, 32, 32], "precision": "float32", "compiled": False,
        "images_per_second": 12.5, "warm_up_seconds": 0.1, "share_of_ceiling": 0.25,
        "ceiling_gigaflops": 80.0,
    }  # fmt: skip
    asked = []
    monkeypatch.setattr(
        "resnet.__main__.speeds", lambda *a, **k: asked.append((a, k)) or iter([row])
    )
    record = tmp_path / "speed.json"
    assert main(["bench", "--device", "cpu", "--steps", "1", "--record", str(record)]) == 0
    out = capsys.readouterr().out
    assert "ResNet-20" in out and "12.5 images/s" in out and "25.0%" in out
    content = json.loads(record.read_text())
    assert content["rows"] == [row] and content["machine"]["torch"]
    (((device, precisions), options),) = asked
    assert (device.type, precisions[-1], options) == ("cpu", "float32", {"steps": 1})
