"""`python -m resnet train | reproduce | data`: train a network, check a claim, fetch a data set."""

import argparse
import dataclasses
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

import resnet
from resnet.devices import process, together
from resnet.reproduce import CLAIMS, plan, reproduce
from resnet.reproduce.settings import BUDGETS

ERRORS = (ValueError, resnet.DataError, resnet.CheckpointError, ArithmeticError, MemoryError)

EXAMPLES = """examples:
  python -m resnet train --network cifar-20 --data fashion-mnist --sample --recipe fast
  python -m resnet train --network resnet18 --recipe d2l --checkpoint run.pt --record run.json
  torchrun --nproc-per-node 2 -m resnet train --network cifar-56 --recipe cifar
  python -m resnet reproduce degradation --budget cpu --jobs 2
  python -m resnet data fashion-mnist
"""


def build(name: str, data: resnet.ImageData, *, preact: bool, shortcut: str | None) -> Any:
    """Make the network that a name like "resnet18" or "cifar-56" stands for, to fit the data.

    Raises:
        ValueError: for another name, or a depth that there is not.

    """
    match = re.fullmatch(r"(resnet|cifar-)(\d+)", name)
    if not match:
        raise ValueError(
            f"network={name!r}: expected resnet18 … resnet152, or cifar-20, cifar-32 …"
        )
    make = resnet.imagenet_resnet if match[1] == "resnet" else resnet.cifar_resnet
    options: dict[str, Any] = {"preact": preact}
    if shortcut:
        options["shortcut"] = None if shortcut == "none" else shortcut
    channels = data.train_images.shape[1]
    return make(int(match[2]), len(data.classes), channels, **options)


def train(options: argparse.Namespace) -> None:
    """Train and print the last row; write the record."""
    recipe = resnet.RECIPES[options.recipe]
    given = {name: getattr(options, name) for name in ("batch_size", "lr", "image_size")}
    changes = {name: value for name, value in given.items() if value is not None}
    if options.epochs is not None or options.steps is not None:
        changes |= {"epochs": options.epochs, "steps": options.steps}
    recipe = dataclasses.replace(recipe, **changes)
    data = resnet.load_data(options.data, root=options.root, sample=options.sample)
    torch.manual_seed(options.seed)
    model = build(options.network, data, preact=options.preact, shortcut=options.shortcut)
    with together():
        first = process()[0] == 0
        run = resnet.fit(
            model, data, recipe, seed=options.seed, device=options.device,
            precision=options.precision, compiled=options.compiled, checkpoint=options.checkpoint,
            save_every=options.save_every, progress=first and not options.quiet,
        )  # fmt: skip
        run.command = "python -m resnet " + " ".join(sys.argv[1:])
        if not first:
            return
        last, best = run.rows[-1], run.best("test_accuracy")
        print(f"{run.network} after {last['epoch']} epochs on {run.provenance}:")
        print(f"  training loss {last['train_loss']:.4f}, accuracy {last['train_accuracy']:.4f}")
        print(f"  test loss {last['test_loss']:.4f}, accuracy {last['test_accuracy']:.4f}")
        print(f"  best test accuracy {best['test_accuracy']:.4f}, epoch {best['epoch']}")
        print(
            f"  {run.images_per_second:,.0f} images a second, {sum(run.seconds):.1f} s of training"
        )
        if options.record:
            run.save(options.record)
            print(f"  recorded in {options.record}")


def claims(options: argparse.Namespace) -> None:
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


def data(options: argparse.Namespace) -> None:
    """Fetch a data set if it is not here, check it, and say what it holds."""
    found = resnet.load_data(options.name, root=options.root)
    for key, value in found.describe().items():
        print(f"{key:13} {value:,}" if type(value) is int else f"{key:13} {value}")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m resnet", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="train a network, resume it, record it")
    add = training.add_argument
    add("--network", default="resnet18", help="resnet18 … resnet152, or cifar-20, cifar-32, …")
    add("--preact", action="store_true", help="pre-activation units (He et al. 2016b)")
    add("--shortcut", choices=["A", "B", "C", "none"], help="default: the paper's for the network")
    add("--data", default="fashion-mnist", help="fashion-mnist, digits, signs")
    add("--sample", action="store_true", help="the small sample that comes with the package")
    add("--root", help="folder of the data sets (default: RESNET_DATA or ~/.cache/resnet-book)")
    add("--recipe", default="fast", choices=list(resnet.RECIPES), help="see resnet/recipes.py")
    add("--epochs", type=int, help="instead of the recipe's")
    add("--steps", type=int, help="gradient steps in all, instead of the recipe's")
    add("--batch-size", type=int, help="over all processes, instead of the recipe's")
    add("--lr", type=float, help="learning rate, instead of the recipe's")
    add("--image-size", type=int, help="pixels a side, instead of the recipe's")
    add("--seed", type=int, default=0, help="of weights, order and augmentation")
    add("--device", help="cpu, cuda, cuda:1, mps; default: the best there is")
    add("--precision", choices=["float32", "bfloat16"], help="default: the fastest native one")
    add("--compiled", action="store_true", help="use torch.compile; pays in long runs only")
    add("--checkpoint", type=Path, help="file to keep the state in, and to go on from")
    add("--save-every", type=float, default=60.0, metavar="SECONDS", help="between checkpoints")
    add("--record", type=Path, help="JSON file for the record")
    add("--quiet", action="store_true", help="no progress bars")
    training.set_defaults(work=train)
    claiming = commands.add_parser("reproduce", help="make the records that a claim needs")
    add = claiming.add_argument
    add("claim", choices=[*CLAIMS, "all"], help="see resnet/reproduce/claims.py")
    add("--budget", default="smoke", choices=BUDGETS, help="see resnet/reproduce/settings.py")
    add("--seeds", type=int, metavar="N", help="seeds 0 to N - 1; default: the budget's")
    add("--data", help="instead of the budget's: cifar10, folder:PATH, …")
    add("--folder", type=Path, help="of the records; default: results/reproduce of the book")
    add("--device", help="cpu, cuda, cuda:1, mps; default: the best there is")
    add("--jobs", type=int, default=1, help="networks to train side by side")
    add("--plan", action="store_true", help="list the records that are needed, and do nothing")
    add("--quiet", action="store_true", help="no progress bars")
    claiming.set_defaults(work=claims)
    fetching = commands.add_parser("data", help="fetch a data set and check it")
    fetching.add_argument("name", help="fashion-mnist, digits, signs")
    fetching.add_argument("--root", help="folder of the data sets")
    fetching.set_defaults(work=data)
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 0, 1 for an error that is told, 130 for Ctrl-C."""
    options = arguments(given)
    try:
        options.work(options)
    except ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        kept = getattr(options, "checkpoint", None)
        hint = f"; the same command goes on from {kept}" if kept and kept.exists() else ""
        print(f"\nStopped{hint}.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
