"""`make gpu`: what is to be recorded on a GPU, in calls of under ten minutes.

    python -m tools.gpu --cifar 'FOLDER/CIFAR-10, JPEG copy'

It needs neither pip nor a network. Each call does what it has time for, in the order of `JOBS`, and
the next goes on. All that it makes is copied to _build/gpu as it comes, records and checkpoints as
in results/: bring that folder back after every call, and put it there before the next where that is
on another machine.

To carry, besides the repository:

- _build/wheels: the packages that the machine lacks, as wheels for its Python. A call names them;
  `pip download --no-deps --dest _build/wheels PACKAGE==VERSION`, versions as in requirements.txt.
- Fashion-MNIST: `python -m resnet data fashion-mnist --root FOLDER`, FOLDER in RESNET_DATA.
- CIFAR-10, or a copy of its images as train/CLASS and test/CLASS; without --cifar the set itself.
- RESNET_COMMIT, what `git describe --always --dirty` says, where .git does not come along.

A small network leaves most of a GPU idle. Where NVIDIA's MPS runs, four networks are trained at a
time, each in a process of its own, so that each record is what a run alone would give.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path

from .common import BUILD, CHAPTERS, RESULTS, ROOT, commit

OUT = BUILD / "gpu"
WHEELS = BUILD / "wheels"
DEPTH = "degradation remedy faster start depth responses"
D2L = ("d2l", "IPython", "matplotlib_inline", "pandas", "requests", "scipy")
NOTEBOOKS = (*D2L, "ipykernel", "jupyter_client", "nbclient", "nbformat", "nbval", "papermill")
MODULE = ("torch", "torchvision", "numpy", "matplotlib", "tqdm", "sklearn", "h5py", "safetensors")

# name, what follows `python -m`, and the packages that it takes beside the module's own
JOBS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("probe", "tools.bench probe --device cuda", ()),
    ("d2l's loop", "tools.bench d2l --device cuda", D2L),
    ("time to 91.3%", "tools.bench fast --device cuda", ()),
    ("d2l's recipe", "resnet reproduce d2l --scale cpu --device cuda", ()),
    ("both loops", "tools.bench same --device cuda --resume", D2L),
    ("depth", f"resnet reproduce {DEPTH} --scale gpu --device cuda --jobs {{jobs}} {{data}}", ()),
    (
        "papers, a seed",
        "resnet reproduce degradation --scale papers --seeds 10 --device cuda --jobs {jobs} {data}",
        (),
    ),
    (
        "papers",
        "resnet reproduce degradation --scale papers --device cuda --jobs {jobs} {data}",
        (),
    ),
    *(
        (
            path.stem,
            f"papermill -k python3 -p profile full --cwd chapters {path} {{out}}/{path.name}",
            NOTEBOOKS,
        )
        for path in sorted(CHAPTERS.glob("*.ipynb"))
    ),
    ("nbval", "pytest -q chapters", ("pytest", "pytest_timeout", *NOTEBOOKS)),
    (
        "2016b",
        "resnet reproduce placements shortcuts --scale papers --device cuda --jobs {jobs} {data}",
        (),
    ),
    ("speed", "resnet bench --device cuda --record results/bench-speed-cuda.json", ()),
    ("networks", "tools.bench networks --device cuda", ()),
)


AT_ONCE = 4  # networks side by side: 2016a's Figure 6 has ten
TRIAL = (sys.executable, "-c", "import torch; torch.ones(1, device='cuda').item()")


def missing(jobs: Sequence[tuple[str, str, tuple[str, ...]]], cifar: str | None) -> Iterator[str]:
    """Yield what must be brought before the jobs can start, and how."""
    names = dict.fromkeys([*MODULE, *(name for *_, needed in jobs for name in needed)])
    if lacking := [name for name in names if find_spec(name) is None]:
        yield f"packages: {', '.join(lacking)}; their wheels go to {WHEELS.relative_to(ROOT)}"
        return  # the rest takes torch
    import torch

    import resnet

    if not torch.cuda.is_available():
        yield "a GPU that torch can use"
    if commit().startswith("unknown"):
        yield "RESNET_COMMIT=, the commit that these files are of"
    for name in ("fashion-mnist", f"folder:{cifar}" if cifar else "cifar10"):
        try:
            resnet.load_data(name)
        except (resnet.DataError, ValueError) as error:
            yield f"data: {error}"


def unpack(wheels: Path, folder: Path) -> None:
    """Make the packages of some wheels importable, here and in what is started from here."""
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as file:
            file.extractall(folder)
    sys.path.append(str(folder))
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), before, str(folder)]))


@contextmanager
def shared_gpu() -> Iterator[int]:
    """Let several processes use the GPU at the same time; yield how many, 1 where it cannot be.

    Without NVIDIA's MPS they take turns. It is tried first, since a container may have the program
    and not the right to use it.
    """
    control = shutil.which("nvidia-cuda-mps-control")
    if control is None:
        yield 1
        return
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="mps-") as folder:
        os.environ |= {"CUDA_MPS_PIPE_DIRECTORY": folder, "CUDA_MPS_LOG_DIRECTORY": folder}
        try:
            works = _ends_well([control, "-d"]) and _ends_well(TRIAL)
            if works:
                yield AT_ONCE
        finally:
            _ends_well([control], "quit\n")
            for name in ("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"):
                os.environ.pop(name)
            os.environ |= before
    if not works:
        yield 1


def _ends_well(command: Sequence[str], told: str = "") -> bool:
    try:
        done = subprocess.run(command, input=told, text=True, capture_output=True, timeout=120)
        return done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def copy_newer(source: Path, target: Path, since: float = 0.0) -> None:
    """Copy the files that are not older than that, in their folders, over older ones."""
    for path in source.rglob("*"):
        other = target / path.relative_to(source)
        if not path.is_file() or path.name.endswith(".partial"):
            continue
        changed = path.stat().st_mtime
        if changed >= since and not (other.exists() and other.stat().st_mtime >= changed):
            other.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, other)


def run(command: list[str], until: float) -> bool:
    """Run to its end, or stop it in time; say whether it ended. It is asked first, then killed."""
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        return process.wait(max(0.0, until - time.monotonic())) == 0
    except subprocess.TimeoutExpired:
        for sign in (signal.SIGINT, signal.SIGKILL):
            os.killpg(process.pid, sign)
            try:
                process.wait(15)
                return False
            except subprocess.TimeoutExpired:
                continue
        return False


def main(given: Sequence[str] | None = None) -> int:
    """Do what there is time for; 0: all is done, 2: another call is needed, 1: it cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.gpu", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    names = [name for name, *_ in JOBS]
    parser.add_argument("names", nargs="*", metavar="job", help=f"{', '.join(names)}; default: all")
    parser.add_argument("--cifar", metavar="FOLDER", help="images in place of CIFAR-10")
    parser.add_argument("--minutes", type=float, default=9.0, help="of this call (default: 9)")
    parser.add_argument("--check", action="store_true", help="only say what has to be brought")
    options = parser.parse_args(given)
    if unknown := set(options.names) - set(names):
        parser.error(f"{', '.join(sorted(unknown))}: expected some of {', '.join(names)}")
    until = time.monotonic() + 60 * options.minutes - 30  # to stop, and to copy
    done_file = OUT / "done.json"
    done: dict[str, float] = json.loads(done_file.read_text()) if done_file.exists() else {}
    jobs = [job for job in JOBS if job[0] in (options.names or names) and job[0] not in done]
    unpack(WHEELS, BUILD / "packages")
    if lacking := list(missing(jobs, options.cifar)):
        print("missing:", *lacking, sep="\n- ", file=sys.stderr)
        return 1
    if options.check:
        return 0
    copy_newer(OUT / "results", RESULTS)
    started = time.time()
    data = ["--data", f"cifar10=folder:{options.cifar}"] if options.cifar else []
    failed = []
    for name, what, _ in jobs:
        if time.monotonic() >= until:
            break
        print(f"\n{name}:", flush=True)
        begun = time.monotonic()
        OUT.mkdir(parents=True, exist_ok=True)
        with shared_gpu() if "{jobs}" in what else nullcontext(1) as at_once:
            words = [w.format(out=OUT, jobs=at_once) for w in what.split() if w != "{data}"]
            words += data if "{data}" in what else []
            print(*words, flush=True)
            ended = run([sys.executable, "-m", *words], until)
        copy_newer(RESULTS, OUT / "results", started)
        if ended:
            done[name] = round(time.monotonic() - begun, 1)
            done_file.write_text(json.dumps(done, indent=1) + "\n")
        elif time.monotonic() < until:
            failed.append(name)  # of its own accord; the others go on
    left = [name for name, *_ in jobs if name not in done]
    print(f"\nDone: {', '.join(done) or 'nothing'}.")
    if left:
        print(f"Left: {', '.join(left)}; failed in this call: {', '.join(failed) or 'none'}.")
    print(f"Bring back {OUT.relative_to(ROOT)}.")
    return 2 if left else 0


if __name__ == "__main__":
    sys.exit(main())
