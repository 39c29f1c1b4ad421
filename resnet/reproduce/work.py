"""Claims to runs: what is missing is trained or resumed; a network and seed leaves a record."""

import dataclasses
import functools
import itertools
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path

import torch

from resnet.arguments import require_one_of, require_positive
from resnet.data import ImageData, ImageFolders, load_data
from resnet.files import require_writable
from resnet.measure import layer_responses, multiply_adds, refresh_statistics
from resnet.reproduce.claim import Claim
from resnet.reproduce.settings import SCALES, Setting
from resnet.training.batches import Batches
from resnet.training.checkpoint import lock, previous
from resnet.training.devices import pick_device
from resnet.training.loop import STATISTICS, DivergedError, fit
from resnet.training.origin import command_line
from resnet.training.recipes import Recipe
from resnet.training.records import Run, results
from resnet.variants import network

RESPONSE_IMAGES = 1000  # test images over which a layer's response is measured


@dataclass(frozen=True)
class Job:
    """One network to train with one seed, and where its record belongs."""

    network: str
    recipe: Recipe
    seed: int
    setting: Setting
    data: str
    path: Path


def records_folder() -> Path:
    """Return the folder of the records of claims, in the checkout or in the package."""
    return results() / "reproduce"


def slug(name: str) -> str:
    """Make a file name from a name, of the letters and digits of any script."""
    return re.sub(r"[\W_]+", "-", name.lower().replace("=-", "=minus").replace("×", "x")).strip("-")


def plan(
    claims: Iterable[Claim],
    scale: str,
    *,
    seeds: Sequence[int] | None = None,
    data: Mapping[str, str] | None = None,
    folder: str | Path | None = None,
) -> list[Job]:
    """List what the claims need at a scale, a seed after the other, each training once.

    Args:
        claims: some of `CLAIMS`, those first that are wanted first.
        scale: one of `SCALES`; a claim that has no such setting needs nothing.
        seeds: some of the setting's; default: all of them.
        data: by name of a set (`load_data`), the one to take instead, as "folder:PATH" for example;
            its records get folders of their own.
        folder: of the records; default: `records_folder`.

    Raises:
        ValueError: for an unknown scale, or a seed that is not planned.

    """
    require_one_of("scale", scale, SCALES)
    root = Path(folder) if folder is not None else records_folder()
    jobs: dict[Path, Job] = {}
    for claim in claims:
        if not (setting := claim.settings.get(scale)):
            continue
        place, used = setting.folder, (data or {}).get(setting.data, setting.data)
        if used != setting.data:
            place += f"-{slug(Path(used.partition(':')[2] or used).name)}"
        for seed in setting.seeds if seeds is None else seeds:
            require_one_of("seed", seed, setting.seeds)
            for name, recipe in claim.trained(scale).values():
                usual, own = setting.recipe.describe(), recipe.describe()
                changed = "".join(f" {field}" for field in own if own[field] != usual[field])
                path = root / place / f"{slug(name + changed)}-seed{seed}.json"
                jobs[path] = Job(name, recipe, seed, setting, used, path)
    return sorted(jobs.values(), key=lambda job: job.seed)


def reproduce(
    jobs: Iterable[Job],
    *,
    device: torch.device | str | None = None,
    at_once: int = 1,
    progress: bool = True,
) -> Iterator[Run]:
    """Do the jobs whose record is missing, and yield each record when it is written.

    A job that was stopped goes on from its checkpoint, which lies beside its record.

    Args:
        jobs: see `plan`.
        device: see `pick_device`.
        at_once: processes side by side, each with its share of the cores; they may share a GPU, and
            use it at the same time where NVIDIA's MPS runs, otherwise take turns. The
            longest of a seed begins first, so that none is left alone at the end.
        progress: show bars on stderr.

    Raises:
        ValueError: if a record is there that is of another run, naming its file, or if one cannot
            be written; before any training.
        MemoryError: if a process was ended from outside.

    """
    require_positive(at_once=at_once)
    missing = [job for job in jobs if not _done(job)]
    for job in missing:
        require_writable(record=job.path)
    if at_once == 1:
        for job in missing:
            yield do(job, device=device, progress=progress)
        return
    threads = max(1, torch.get_num_threads() // at_once)
    context = get_context("spawn")  # CUDA cannot be used after a fork
    others = set(active_children())
    with ProcessPoolExecutor(at_once, context, _begin, (threads,)) as pool:
        try:
            jobs = longest_first(missing)
            for future in as_completed(pool.submit(do, job, device=device) for job in jobs):
                yield future.result()
        except BrokenProcessPool as error:
            raise MemoryError(
                "a training run was ended from outside, perhaps for want of memory: train fewer "
                "side by side; the same call goes on from the checkpoints"
            ) from error
        except BaseException:  # also when the caller wants no more
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(active_children()) - others:
                child.terminate()
                child.join()
            raise


def longest_first(jobs: Iterable[Job]) -> list[Job]:
    """Sort those that follow one another with one setting and one seed, the costliest first."""

    def cost(job: Job) -> int:
        with torch.device("meta"):
            once = multiply_adds(network(job.network, 10, 3), (1, 3, 32, 32))
        return once * (job.recipe.steps or job.recipe.epochs or 1)

    groups = itertools.groupby(jobs, lambda job: (job.setting.folder, job.seed))
    return [job for _, group in groups for job in sorted(group, key=cost, reverse=True)]


def _begin(threads: int) -> None:
    """Set up a process of the pool: its share of the cores, and an end with its parent's.

    A parent that is killed cannot end its children; they would train on and wait for it forever.
    """
    torch.set_num_threads(threads)
    parent = parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _done(job: Job) -> bool:
    """Say whether the record is there; raise ValueError if it is another run's."""
    if not job.path.exists():
        return False
    run = Run.load(job.path)
    wanted = {
        "network": job.network,
        "recipe": job.recipe.describe(),
        "seed": job.seed,
        "precision": job.setting.precision,
        "data": _described(job.data, job.setting.part),
    }
    for name, value in wanted.items():
        found = run.settings.get(name) if name == "precision" else getattr(run, name)
        if found != value:
            raise ValueError(
                f"{job.path} is the record of another run: its {name} is {found}, not {value}; "
                "move it away, or name another folder"
            )
    return True


def do(job: Job, *, device: torch.device | str | None = None, progress: bool = False) -> Run:
    """Train a job's network, measure it, and write its record."""
    device, setting = pick_device(device), job.setting
    data, recipe = _data(job.data, setting.part), job.recipe
    torch.manual_seed(job.seed)
    model = network(job.network, len(data.classes), data.channels)
    checkpoint = job.path.with_suffix(".pt")
    try:
        run = fit(
            model, data, recipe, seed=job.seed, device=device, precision=setting.precision,
            checkpoint=checkpoint, row_steps=setting.row_steps, clean_images=setting.clean_images,
            progress=progress,
        )  # fmt: skip
    except DivergedError as error:  # this, too, is a result
        failed = {"failed": str(error)}
        run = dataclasses.replace(error.run, rows=[], seconds=[], measured=failed)
    else:
        if setting.responses and not hasattr(model, "act"):
            batches = Batches(data, recipe, device)
            clean = batches.clean(STATISTICS, recipe.batch_size)
            refresh_statistics(model, (images for images, _ in clean))
            images = next(batches.test(min(RESPONSE_IMAGES, len(data.test_labels))))
            run.measured["responses"] = layer_responses(model, images)
    run.command = command_line()
    run.save(job.path)
    for file in (checkpoint, previous(checkpoint), lock(checkpoint)):
        file.unlink(missing_ok=True)
    return run


@functools.cache
def _described(name: str, part: tuple[int, int] | None) -> dict[str, object]:
    """Say what a record's data must be; a digest of all pixels takes a while."""
    return _data(name, part).describe()


@functools.cache
def _data(name: str, part: tuple[int, int] | None) -> ImageData | ImageFolders:
    data = load_data(name, sample=part is not None)
    return data.first(*part) if part and isinstance(data, ImageData) else data
