"""tools.gpu and the probe: what is missing is told first, a call ends in time, the next goes on."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from simulated_gpu import SimulatedGpu

import resnet
from resnet.__main__ import arguments
from tools import gpu
from tools.bench import __main__ as benches
from tools.bench import probe

HELLO = 'open("results/a.json", "w").write("1")'
FOREVER = "import time; time.sleep(60)"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A book's folder in which nothing is missing."""
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(gpu, "ROOT", tmp_path)
    monkeypatch.setattr(gpu, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(gpu, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(gpu, "OUT", tmp_path / "_build" / "gpu")
    monkeypatch.setattr(gpu, "WHEELS", tmp_path / "_build" / "wheels")
    monkeypatch.setattr(gpu, "missing", lambda *_: iter(()))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name, text in (("hello", HELLO), ("forever", FOREVER), ("broken", "1 / 0")):
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def test_a_call_ends_in_time_and_the_next_goes_on(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    jobs = [("first", "hello", ()), ("broken", "broken", ()), ("long", "forever", ())]
    monkeypatch.setattr(gpu, "JOBS", (*jobs, ("last", "hello", ())))
    begun = time.monotonic()
    assert gpu.main(["--minutes", "0.6"]) == 2  # 36 seconds, of which 30 are kept
    assert time.monotonic() - begun < 20
    out = capfd.readouterr().out
    assert "Left: broken, long, last; failed in this call: broken." in out
    assert (place / "_build/gpu/results/a.json").read_text() == "1"
    monkeypatch.setattr(gpu, "JOBS", (jobs[0], ("last", "hello", ())))
    (place / "results/a.json").unlink()
    assert gpu.main([]) == 0
    assert list(json.loads((place / "_build/gpu/done.json").read_text())) == ["first", "last"]


def test_what_was_brought_along_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine the records and checkpoints of the calls before are in place."""
    checkpoint = place / "_build/gpu/results/reproduce/gpu/a.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("state")
    monkeypatch.setattr(gpu, "JOBS", (("first", "hello", ()),))
    assert gpu.main([]) == 0
    assert (place / "results/reproduce/gpu/a.pt").read_text() == "state"


def test_wheels_are_packages(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu.WHEELS.mkdir(parents=True)
    with zipfile.ZipFile(gpu.WHEELS / "brought-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("brought_package.py", HELLO)
    monkeypatch.setattr(gpu, "JOBS", (("first", "brought_package", ()),))
    assert gpu.main([]) == 0 and (place / "results/a.json").exists()


def test_what_is_missing_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "unpack", lambda *_: None)
    monkeypatch.setattr(gpu, "run", lambda *_: pytest.fail("it has started"))
    monkeypatch.setattr(gpu, "JOBS", (("first", "hello", ("no_such_package",)),))
    monkeypatch.setattr(gpu, "OUT", tmp_path)
    assert gpu.main([]) == 1
    assert "packages: no_such_package; their wheels" in capsys.readouterr().err
    monkeypatch.setattr(gpu, "JOBS", (("first", "hello", ()),))
    monkeypatch.setattr(gpu, "commit", lambda: "unknown")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main(["--cifar", str(tmp_path / "nowhere")]) == 1
    err = capsys.readouterr().err
    assert all(word in err for word in ("a GPU that torch", "RESNET_COMMIT", "data: ", "nowhere"))


MPS = """\
#!/bin/sh
# the control program: -d starts, "quit" on its input ends
if [ "$1" = -d ]; then echo "start $CUDA_MPS_PIPE_DIRECTORY" >> {log}; exit {status}; fi
read word; echo "$word $CUDA_MPS_PIPE_DIRECTORY" >> {log}
"""


def with_mps(place: Path, monkeypatch: pytest.MonkeyPatch, *, status: int = 0) -> Path:
    log = place / "mps.log"
    control = place / "bin" / "nvidia-cuda-mps-control"
    control.parent.mkdir()
    control.write_text(MPS.format(log=log, status=status))
    control.chmod(0o755)
    monkeypatch.setenv("PATH", str(control.parent), prepend=os.pathsep)
    return log


@pytest.mark.parametrize(("status", "trial", "at_once"), [(0, "", 4), (1, "", 1), (0, "1 / 0", 1)])
def test_networks_share_the_gpu_where_it_can_be_shared(
    place: Path, monkeypatch: pytest.MonkeyPatch, status: int, trial: str, at_once: int
) -> None:
    """By MPS, started and tried for this job alone, and ended after it, also after a failure."""
    log = with_mps(place, monkeypatch, status=status)
    monkeypatch.setattr(gpu, "TRIAL", (sys.executable, "-c", trial))
    before = dict(os.environ)
    for ending in (None, KeyboardInterrupt):
        log.unlink(missing_ok=True)
        with suppress(KeyboardInterrupt), gpu.shared_gpu() as found:
            assert found == at_once
            assert ("CUDA_MPS_PIPE_DIRECTORY" in os.environ) == (at_once > 1)
            if ending:
                raise ending
        (started, folder), ended = (line.split() for line in log.read_text().splitlines())
        assert (started, ended) == ("start", ["quit", folder]) and not Path(folder).exists()
        assert dict(os.environ) == before


def test_a_machine_without_mps_trains_one_after_the_other(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(place))
    with gpu.shared_gpu() as found:
        assert found == 1
    (place / "told.py").write_text(
        "import os, sys; open('told', 'w').write(' '.join(sys.argv[1:]))"
    )
    monkeypatch.setattr(gpu, "JOBS", (("first", "told --jobs {jobs} {data}", ()),))
    assert gpu.main(["--cifar", "x"]) == 0
    assert (place / "told").read_text() == "--jobs 1 --data cifar10=folder:x"


def test_every_job_is_a_command() -> None:
    """As the programs read it; `python -m tools.bench NAME` and `python -m resnet`."""
    for _, what, _ in gpu.JOBS:
        program, *words = (
            what.replace("{data}", "--data cifar10=folder:x").replace("{jobs}", "4").split()
        )
        if program == "tools.bench":
            benches.arguments(words)
        elif program == "resnet":
            arguments(words)
        else:
            assert program in ("papermill", "pytest")
    with pytest.raises(SystemExit):
        gpu.main(["no such job"])


def test_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row in the simulation, where the graph and the second run are equal to the bit."""
    torch.set_num_threads(1)
    monkeypatch.setattr(resnet, "CIFAR", dataclasses.replace(resnet.CIFAR, image_size=8))
    monkeypatch.setattr(probe, "NETWORKS", (("ResNet-8", 8, 4),))
    monkeypatch.setattr(probe, "DEEP", ("no-network", 8, 4))
    monkeypatch.setattr(torch._dynamo, "reset", lambda: None)
    with SimulatedGpu():
        *_, content = probe.bench(torch.device("cuda"), 5)
    correct, *speeds = content["rows"]
    assert [row["way"] for row in speeds] == list(probe.WAYS)
    assert all(value for name, value in correct.items() if "same" in name or "as eager" in name)
    # twelve steps enlarge what resizing differs by, 1e-7
    assert correct["difference of losses, float32"] < 1e-2
    assert [row["network"] for row in content["failed"]] == ["no-network"] * 3
