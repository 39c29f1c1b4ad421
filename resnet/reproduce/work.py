"""Claims to runs: what is missing is trained or resumed; a network and seed leaves a record."""

import functools
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path

import torch

from resnet.batches import Batches
from resnet.blocks import check_one_of, check_positive
from resnet.checkpoint import previous
from resnet.data import ImageData, ImageFolders, load_data
from resnet.devices import pick_device, pick_precision
from resnet.measure import layer_responses
from resnet.reproduce.claim import Claim
from resnet.reproduce.settings import BUDGETS, Setting
from resnet.runs import Run, check_record, machine, results, typed
from resnet.train import fit
from resnet.variants import network

RESPONSE_IMAGES = 1000  # test images over which a layer's response is measured


@dataclass(frozen=True)
class Job:
    """One network to train with one seed, and where its record belongs."""

    network: str
    seed: int
    setting: Setting
    data: str
    path: Path


def records_folder() -> Path:
    """Return the folder of the records of claims, in the checkout or in the package."""
    return results() / "reproduce"


def slug(name: str) -> str:
    """Make a file name from a name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("×", "x")).strip("-")


def plan(
    claims: Iterable[Claim],
    budget: str,
    *,
    seeds: int | None = None,
    data: str | None = None,
    folder: str | Path | None = None,
) -> list[Job]:
    """List what the claims need under a budget, a seed after the other, each network once.

    Args:
        claims: some of `CLAIMS`.
        budget: one of `BUDGETS`.
        seeds: how many, 0 to seeds - 1; default: the setting's.
        data: instead of the setting's, see `load_data`; its records get folders of their own.
        folder: of the records; default: `records_folder`.

    Raises:
        ValueError: for an unknown budget, or seeds below 1.

    """
    check_one_of("budget", budget, BUDGETS)
    if seeds is not None:
        check_positive(seeds=seeds)
    root = Path(folder) if folder is not None else records_folder()
    jobs: dict[Path, Job] = {}
    for claim in claims:
        if budget not in claim.settings:  # nothing to train
            continue
        setting = claim.settings[budget]
        place = setting.folder
        if data and data != setting.data:  # of a path its last part
            place += f"-{slug(Path(data.partition(':')[2] or data).name)}"
        for seed in range(seeds or setting.seeds):
            for name in claim.networks(budget).values():
                path = root / place / f"{slug(name)}-seed{seed}.json"
                jobs[path] = Job(name, seed, setting, data or setting.data, path)
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
        at_once: processes side by side, each with its share of the cores; they may share a GPU.
        progress: show bars on stderr.

    Raises:
        ValueError: if a record is there that is of another run, naming its file, or if one cannot
            be written; before any training.
        MemoryError: if a process was ended from outside.

    """
    check_positive(at_once=at_once)
    missing = [job for job in jobs if not _done(job)]
    for job in missing:
        check_record(job.path)
    if at_once == 1:
        for job in missing:
            yield do(job, device=device, progress=progress)
        return
    threads = max(1, torch.get_num_threads() // at_once)
    context = get_context("spawn")  # CUDA cannot be used after a fork
    others = set(active_children())
    with ProcessPoolExecutor(at_once, context, torch.set_num_threads, (threads,)) as pool:
        try:
            for future in as_completed(pool.submit(do, job, device=device) for job in missing):
                yield future.result()
        except BrokenProcessPool as error:
            raise MemoryError(
                "a training was ended from outside, perhaps for want of memory: train fewer side "
                "by side; the same call goes on from the checkpoints"
            ) from error
        except BaseException:  # also when the caller wants no more
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(active_children()) - others:
                child.terminate()
                child.join()
            raise


def _done(job: Job) -> bool:
    """Say whether the record is there; raise ValueError if it is another run's."""
    if not job.path.exists():
        return False
    run = Run.load(job.path)
    wanted = (job.network, job.setting.recipe_for(job.network).describe(), job.seed)
    if (run.network, run.recipe, run.seed) != wanted:
        raise ValueError(
            f"{job.path} is the record of another run: {run.network}, seed {run.seed}, recipe "
            f"{run.recipe}; move it away, or name another folder"
        )
    return True


def do(job: Job, *, device: torch.device | str | None = None, progress: bool = False) -> Run:
    """Train a job's network, measure it, and write its record."""
    device, setting = pick_device(device), job.setting
    data, recipe = _data(job.data, setting.part), setting.recipe_for(job.network)
    torch.manual_seed(job.seed)
    model = network(job.network, len(data.classes), data.channels)
    checkpoint = job.path.with_suffix(".pt")
    try:
        run = fit(
            model, data, recipe, seed=job.seed, device=device, checkpoint=checkpoint,
            row_steps=setting.row_steps, progress=progress,
        )  # fmt: skip
    except FloatingPointError as error:  # this, too, is a result
        settings = {
            "precision": pick_precision(None, device), "compiled": False, "processes": 1,
            "sync_bn": False,
        }  # fmt: skip
        run = Run(
            job.network, data.describe(), recipe.describe(), job.seed,
            settings=settings, machine=machine(device), measured={"failed": str(error)},
        )  # fmt: skip
    else:
        if setting.responses and not hasattr(model, "act"):
            batches = Batches(data, recipe, device)
            images = next(batches.test(min(RESPONSE_IMAGES, len(data.test_labels))))
            run.measured["responses"] = layer_responses(model, images)
    run.command = typed()
    run.save(job.path)
    for file in (checkpoint, previous(checkpoint)):
        file.unlink(missing_ok=True)
    return run


@functools.cache
def _data(name: str, part: tuple[int, int] | None) -> ImageData | ImageFolders:
    data = load_data(name, sample=part is not None)
    return data.first(*part) if part and isinstance(data, ImageData) else data
