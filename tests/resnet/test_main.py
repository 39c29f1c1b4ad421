"""The command line: what a newcomer types, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import re
import shlex
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
    """They load by the network's name."""
    path = tmp_path / "w.safetensors"
    assert main([*QUICK, "--weights", str(path)]) == 0
    assert f"weights in {path}" in capsys.readouterr().out
    assert resnet.load_weights(path, "ResNet-8").in_channels == 1


@pytest.mark.parametrize(
    "name", ["ResNet-18", "pre-activation plain-8", "ResNet-8, width 8, option C, dropout"]
)
def test_networks_by_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--network", name, "--steps", "1"]) == 0
    assert capsys.readouterr().out.startswith(f"{name} after 1 epochs")


# status, call, and how what is said begins. TMP is an empty folder, FILE a text in it.
WRONG = """
2 => the following arguments are required: command
2 trian => argument command: invalid choice: 'trian'
2 train extra => unrecognized arguments: extra
2 train --epochs => argument --epochs: expected one argument
2 train --epochs two => argument --epochs: invalid int value: 'two'
2 train --epochs 1.5 => argument --epochs: invalid int value: '1.5'
2 train --batch-size 1e2 => argument --batch-size: invalid int value: '1e2'
2 train --lr fast => argument --lr: invalid float value: 'fast'
2 train --seed one => argument --seed: invalid int value: 'one'
2 train --seed 1.0 => argument --seed: invalid int value: '1.0'
2 train --save-every soon => argument --save-every: invalid float value: 'soon'
2 train --recipe slow => argument --recipe: invalid choice: 'slow'
2 train --precision float64 => argument --precision: invalid choice: 'float64'
2 train --preact => unrecognized arguments: --preact
2 train --shortcut A => unrecognized arguments: --shortcut A
2 train --s 3 => ambiguous option: --s could match --sample, --steps, --seed, --sync-bn,
2 train --device => argument --device: expected one argument
2 QUICK --network '' => name='': expected one like 'plain-56' or 'ResNet-20
2 QUICK --network ResNet => name='ResNet': expected one like 'plain-56' or 'ResNet-20
2 QUICK --network vgg16 => name='vgg16': expected one like 'plain-56' or 'ResNet-20
2 QUICK --network resnet18 => name='resnet18': expected one like 'plain-56' or 'ResNet-20
2 QUICK --network ResNet-0 => depth=0: expected a whole number of at least 1
2 QUICK --network ResNet--20 => name='ResNet--20': expected one like 'plain-56' or 'ResNet-20
2 QUICK --network ResNet-9 => depth=9: expected 6n + 2
2 QUICK --network plain-1 => depth=1: expected 6n + 2
2 QUICK --network 'ResNet-20,' => name='ResNet-20,': expected one like 'plain-56' or 'ResNet-20
2 QUICK --network 'ResNet-20, width 0' => width=0: expected a whole number of at least 1
2 QUICK --network 'ResNet-20, width -1' => variant='width -1'
2 QUICK --network 'ResNet-20, option D' => variant='option D'
2 QUICK --network 'ResNet-8, option A' => name='ResNet-8, option A': expected 'ResNet-8'
2 QUICK --network 'ResNet-8, dropout, dropout' => name='ResNet-8, dropout
2 QUICK --network 'plain-20, option C' => name='plain-20, option C': expected 'ResNet-20, option C'
2 QUICK --network 'ResNet-50, width 8' => name='ResNet-50, width 8': only CIFAR networks come with
2 QUICK --network 'ResNet-18, stride on 3x3' => stride_on='3x3': only networks of bottlenecks have
2 QUICK --data mnist => name='mnist': expected one of 'fashion-mnist', 'cifar10'
2 QUICK --data digits => sample=True: only 'fashion-mnist' has a sample
2 QUICK --data '' => name='': expected one of 'fashion-mnist', 'cifar10'
2 QUICK --epochs 2 => epochs=2, steps=3: expected one of the two
2 QUICK --steps 0 => steps=0: expected a whole number of at least 1
2 QUICK --steps -3 => steps=-3: expected a whole number of at least 1
2 QUICK --batch-size 0 => batch_size=0: expected a whole number of at least 1
2 QUICK --batch-size -5 => batch_size=-5: expected a whole number of at least 1
2 QUICK --batch-size 9223372036854775808 => batch_size=9223372036854775808: expected a whole
2 QUICK --lr 0 => lr=0.0: expected a number above 0
2 QUICK --lr -1 => lr=-1.0: expected a number above 0
2 QUICK --lr nan => lr=nan: expected a number above 0
2 QUICK --lr inf => lr=inf: expected a number above 0
1 QUICK --lr 1e30 => the loss of ResNet-8 became nan
2 QUICK --image-size 0 => image_size=0: expected a whole number of at least 1
2 QUICK --image-size -8 => image_size=-8: expected a whole number of at least 1
1 QUICK --image-size 100000000 => 20 images of image_size=100000000
2 QUICK --seed -1 => seed=-1: expected a whole number of at least 0
2 QUICK --seed 9223372036854775808 => seed=9223372036854775808: expected a whole number of at most
2 QUICK --save-every nan => save_every=nan: expected seconds, at least 0
2 QUICK --save-every -1 => save_every=-1.0: expected seconds, at least 0
2 QUICK --device abacus => device='abacus' cannot be used here
2 QUICK --device '' => device='' cannot be used here
2 QUICK --device cuda:99 => device='cuda:99' cannot be used here
2 QUICK --device meta => device='meta' cannot be used here
2 QUICK --sync-bn => sync_bn=True on cpu: torch can do this on GPUs only
2 QUICK --record TMP => record='TMP' cannot be written (it is a folder): name another
2 QUICK --record FILE/r.json => record='FILE/r.json' cannot be written
2 QUICK --weights TMP => weights='TMP' cannot be written (it is a folder): name another
2 QUICK --weights FILE/w.safetensors => weights='FILE/w.safetensors' cannot be written
2 QUICK --checkpoint TMP => checkpoint='TMP' cannot be written (it is a folder): name another
2 QUICK --checkpoint FILE/c.pt => checkpoint='FILE/c.pt' cannot be written
1 QUICK --checkpoint FILE => FILE is damaged: File is not a zip file: delete these files to train
2 QUICK --record TMP/x --checkpoint TMP/x => checkpoint and record are one file, TMP/x: name
2 QUICK --record TMP/x --weights TMP/x => record and weights are one file, TMP/x: name another
2 QUICK --weights TMP/x --checkpoint TMP/y/../x => checkpoint and weights are one file,
2 train --data folder: => name='folder:': expected one of 'fashion-mnist', 'cifar10'
1 train --data folder:TMP => TMP is no folder of images
2 train --data folder:TMP --root TMP => root='TMP': 'folder:TMP'
1 train --data signs --root TMP => TMP/train_signs.h5 is missing. SIGNS
2 reproduce => the following arguments are required: claim
2 reproduce everything => argument claim: invalid choice: 'everything'
2 reproduce depth --scale huge => argument --scale: invalid choice: 'huge'
2 reproduce options --budget long => unrecognized arguments: --budget long
2 reproduce options => claim='options': expected one that has something to train
2 reproduce triple --scale cpu => scale (of triple)='cpu': expected one of 'smoke', 'gpu'
2 reproduce depth --seeds => argument --seeds: expected at least one argument
2 reproduce depth --seeds x => argument --seeds: invalid int value: 'x'
2 reproduce depth --seeds 99 => seed=99: expected one of 0, 1
2 reproduce depth --seeds -1 => seed=-1: expected one of 0, 1
2 reproduce all --seeds 99 => seed=99: expected one of 0, 1
2 reproduce depth --jobs two => argument --jobs: invalid int value: 'two'
2 reproduce depth --jobs 0 => at_once=0: expected a whole number of at least 1
2 reproduce depth --data elsewhere => data='elsewhere': expected SET=OTHER
2 reproduce depth --data fashion-mnist= => data='fashion-mnist': expected SET=OTHER, as
2 reproduce depth --data fashoin-mnist=digits --folder TMP/q => data='fashoin-mnist': expected one
2 reproduce depth --data fashion-mnist=folder:TMP --folder TMP/r => sample=True: only
2 reproduce depth --folder FILE => record='FILE/smoke/resnet-20-width-8-seed0.json' cannot be
2 reproduce depth --folder TMP/r --device abacus => device='abacus' cannot be used here
2 bench --precision half => argument --precision: invalid choice: 'half'
2 bench --steps many => argument --steps: invalid int value: 'many'
2 bench --steps 0 => steps=0: expected a whole number of at least 1
2 bench --device abacus => device='abacus' cannot be used here
2 bench --record TMP => record='TMP' cannot be written (it is a folder): name another
2 data => the following arguments are required: name
2 data mnist => name='mnist': expected one of 'fashion-mnist', 'cifar10'
2 data digits extra => unrecognized arguments: extra
2 data digits --sample => unrecognized arguments: --sample
1 data folder:FILE => FILE is no folder of images
1 data folder:~nosuchuser/x => ~nosuchuser/x leads nowhere (Could not determine home directory.):
1 data fashion-mnist --root ~nosuchuser => ~nosuchuser leads nowhere (Could not determine home
1 data signs --root TMP => TMP/train_signs.h5 is missing. SIGNS
1 data cifar10 --root FILE => CIFAR-10 cannot be stored in FILE
2 data folder:TMP --root TMP => root='TMP': 'folder:TMP'
"""


@pytest.mark.parametrize("line", WRONG.strip().splitlines())
def test_wrong_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Told in one line, with the argument and its value; nothing is written."""
    file = tmp_path / "file"
    file.write_text("a text")
    call, told = (
        text.replace("TMP", str(tmp_path)).replace("FILE", str(file))
        for text in line[1:].split(" => ")
    )
    words = shlex.split(call)
    try:
        status = main([*QUICK, *words[1:]] if words[:1] == ["QUICK"] else words)
    except SystemExit as ended:  # argparse's
        status = int(str(ended.code))
    out, err = capsys.readouterr()
    assert (status, out) == (int(line[0]), "")
    assert err.splitlines()[-1].partition("error: ")[2].startswith(told)
    assert "Traceback" not in err
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path != file
                and path.suffix != ".lock"]  # fmt: skip
    assert file.read_text() == "a text"


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


def test_interrupt_while_torch_is_imported(tmp_path: Path) -> None:
    """No traceback, and what a shell calls status 130."""
    (tmp_path / "torch.py").write_text("import time; print(1, flush=True); time.sleep(60)")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    child = subprocess.Popen(
        [sys.executable, "-m", "resnet", "train"], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout and child.stdout.readline() == "1\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (-signal.SIGINT, "")


def test_who_does_not_listen_has_the_record(tmp_path: Path) -> None:
    """As before `| true`: written before anything is printed, and no word about the pipe."""
    record = tmp_path / "run.json"
    child = subprocess.Popen(
        [sys.executable, "-u", "-m", "resnet", *QUICK, "--record", str(record)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout
    child.stdout.close()
    assert child.stderr and child.stderr.read() == ""
    assert child.wait(timeout=60) == 1
    child.stderr.close()
    assert resnet.Run.load(record).rows


@pytest.mark.parametrize("terminal", [True, False])
def test_bars_are_for_terminals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert main([option for option in QUICK if option != "--quiet"]) == 0
    assert ("ResNet-8, epoch 1/1" in capsys.readouterr().err) == terminal
    assert main(QUICK) == 0
    assert capsys.readouterr().err == ""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two gloo processes under torchrun leave behind, see `two_processes`."""
    folder = tmp_path_factory.mktemp("two")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
            two_processes.__file__, str(folder),
        ],
        env=environment, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def by_two(two: Path) -> dict[bool, resnet.Run]:
    """Their records, without and with BN."""
    return {bn: resnet.Run.load(two / f"bn-{bn}.json") for bn in (False, True)}


def test_processes_with_different_checkpoints_are_told(two: Path) -> None:
    """As on machines that share no disk: both stop before the first batch."""
    for rank in (0, 1):
        told = (two / f"told-{rank}").read_text()
        assert re.search(rf"disk-{rank}/run\.pt is not the same file .* steps 10, 0: name", told)


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
    assert main([*QUICK, "--sync-bn"]) == 2
    assert "sync_bn=True on cpu: torch can do this on GPUs only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "told"),
    [(f"--{n}", f"{n}='.*' cannot be written") for n in ("record", "weights", "checkpoint")],
)
def test_a_folder_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    option: str, told: str,
) -> None:  # fmt: skip
    """Told before anything is trained."""
    monkeypatch.setattr(torch.optim.SGD, "step", lambda *_: pytest.fail("trained"))
    assert main([*QUICK, option, str(tmp_path)]) == 2
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
