"""`python -m resnet reproduce`: make the records that a claim needs."""

import argparse
import sys
from pathlib import Path
from typing import Any

from resnet.arguments import require_one_of
from resnet.reproduce.claims import CLAIMS, ORDER
from resnet.reproduce.settings import SCALES
from resnet.reproduce.why import EXPERIMENTS
from resnet.reproduce.work import Job, plan, reproduce

CHOICES = CLAIMS | EXPERIMENTS


def add(commands: Any) -> None:
    """Add the command to the others of `python -m resnet`."""
    parser = commands.add_parser("reproduce", help="make the records that a claim needs")
    add = parser.add_argument
    every = ", ".join(CHOICES)
    add("claims", nargs="+", metavar="claim", choices=[*CHOICES, "all"], help=f"{every}; or all")
    add("--scale", default="smoke", choices=SCALES, help="see resnet/reproduce/settings.py")
    add("--seeds", type=int, nargs="+", metavar="SEED", help="some of the planned; default: all")
    add("--data", nargs="+", default=[], metavar="SET=OTHER", help="as cifar10=folder:PATH")
    add("--folder", type=Path, help="of the records; default: results/reproduce of the book")
    add("--device", help="cpu, cuda, cuda:1, mps (untested); default: the best there is")
    add("--jobs", type=int, default=1, help="networks to train side by side")
    add("--plan", action="store_true", help="list the records that are needed, and do nothing")
    add("--quiet", action="store_true", help="no progress bars")
    parser.set_defaults(work=work)


def bars(options: argparse.Namespace) -> bool:
    """Say whether progress is shown: where somebody looks, unless it is not wanted."""
    return sys.stderr.isatty() and not options.quiet


def work(options: argparse.Namespace) -> None:
    """Train what is missing for a claim, or for all of them, and write the records."""
    data = dict(pair.partition("=")[::2] for pair in options.data)
    sets = {setting.data for claim in CHOICES.values() for setting in claim.settings.values()}
    for name, other in data.items():
        if not other:
            raise ValueError(f"data={name!r}: expected SET=OTHER, as cifar10=folder:PATH")
        require_one_of("data", name, sorted(sets))
    if "all" in options.claims:
        queue = [(names, seeds if options.scale == "cpu" else None) for names, seeds in ORDER]
        if options.seeds:
            queue = [(names, options.seeds) for names, _ in ORDER]
    else:
        queue = [(tuple(options.claims), options.seeds)]
        for name in options.claims:
            if not CHOICES[name].settings:
                raise ValueError(f"claim={name!r}: expected one that has something to train")
            require_one_of(f"scale (of {name})", options.scale, tuple(CHOICES[name].settings))
    jobs: dict[Path, Job] = {}
    for names, seeds in queue:
        chosen = [CHOICES[name] for name in names]
        found = plan(chosen, options.scale, seeds=seeds, data=data, folder=options.folder)
        jobs |= {job.path: job for job in found if job.path not in jobs}
    if options.plan:
        for job in jobs.values():
            print(job.path, "(there)" if job.path.exists() else "")
        return
    runs = reproduce(
        jobs.values(), device=options.device, at_once=options.jobs, progress=bars(options)
    )
    for run in runs:
        end = run.rows[-1] if run.rows else {}
        result = run.measured.get("failed") or (
            f"training error {1 - end['train_accuracy']:.2%}, test {1 - end['test_accuracy']:.2%}"
        )
        print(f"{run.network}, seed {run.seed}: {result}", flush=True)
