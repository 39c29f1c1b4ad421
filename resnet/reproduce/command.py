"""`python -m resnet reproduce`: make the records that a claim needs."""

import argparse
from pathlib import Path
from typing import Any

from resnet.reproduce.claims import CLAIMS
from resnet.reproduce.settings import BUDGETS
from resnet.reproduce.work import plan, reproduce


def add(commands: Any) -> None:
    """Add the command to the others of `python -m resnet`."""
    parser = commands.add_parser("reproduce", help="make the records that a claim needs")
    add = parser.add_argument
    add("claim", choices=[*CLAIMS, "all"], help="see resnet/reproduce/claims.py")
    add("--budget", default="smoke", choices=BUDGETS, help="see resnet/reproduce/settings.py")
    add("--seeds", type=int, metavar="N", help="seeds 0 to N - 1; default: the budget's")
    add("--data", help="instead of the budget's: cifar10, folder:PATH, …")
    add("--folder", type=Path, help="of the records; default: results/reproduce of the book")
    add("--device", help="cpu, cuda, cuda:1, mps; default: the best there is")
    add("--jobs", type=int, default=1, help="networks to train side by side")
    add("--plan", action="store_true", help="list the records that are needed, and do nothing")
    add("--quiet", action="store_true", help="no progress bars")
    parser.set_defaults(work=work)


def work(options: argparse.Namespace) -> None:
    """Train what is missing for a claim, or for all of them, and write the records."""
    chosen = list(CLAIMS.values()) if options.claim == "all" else [CLAIMS[options.claim]]
    jobs = plan(
        chosen, options.budget, seeds=options.seeds, data=options.data, folder=options.folder
    )
    if options.plan:
        for job in jobs:
            print(job.path, "(there)" if job.path.exists() else "")
        return
    runs = reproduce(jobs, device=options.device, at_once=options.jobs, progress=not options.quiet)
    for run in runs:
        end = run.rows[-1] if run.rows else {}
        told = run.measured.get("failed") or (
            f"training error {1 - end['train_accuracy']:.2%}, test {1 - end['test_accuracy']:.2%}"
        )
        print(f"{run.network}, seed {run.seed}: {told}", flush=True)
