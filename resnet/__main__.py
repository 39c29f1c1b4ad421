"""`python -m resnet train | reproduce | bench | data | report`; `--help` says what each is for."""

import argparse
import dataclasses
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

import resnet
from resnet.arguments import require_whole
from resnet.files import require_writable
from resnet.reproduce import command
from resnet.reproduce.command import bars
from resnet.training.devices import pick_device, pick_precision, process, process_group
from resnet.training.origin import command_line
from resnet.training.records import head, write_json
from resnet.training.speed import speeds
from resnet.variants import network

ERRORS = (resnet.DataError, resnet.CheckpointError, ArithmeticError, MemoryError, OSError)

NAMES = (
    "plain-20, ResNet-50, 'pre-activation ResNet-164'; what is not the papers' stands behind: "
    "'ResNet-20, width 8, option C', 'ResNet-50, stride on 3x3', 'ResNet-110, dropout'"
)
SETS = "fashion-mnist, cifar10, digits, signs, or folder:PATH with train/CLASS and test/CLASS"

EXAMPLES = """examples:
  python -m resnet train --network ResNet-20 --data fashion-mnist --sample --recipe fast
  python -m resnet train --network ResNet-18 --recipe d2l --checkpoint run.pt --record run.json
  torchrun --nproc-per-node 2 -m resnet train --network ResNet-56 --recipe cifar
  python -m resnet reproduce degradation --scale cpu --jobs 2
  python -m resnet bench
  python -m resnet data fashion-mnist
  python -m resnet report answers.ipynb
"""


def train(options: argparse.Namespace) -> None:
    """Train, write the record and the weights, and print the last row."""
    require_whole(0, seed=options.seed)
    files = {name: getattr(options, name) for name in ("record", "weights", "checkpoint")}
    files = {name: path for name, path in files.items() if path is not None}
    for name, path in files.items():
        for other in files:
            if name < other and path.resolve() == files[other].resolve():
                raise ValueError(f"{name} and {other} are one file, {path}: name another")
    require_writable(**files)
    recipe = resnet.RECIPES[options.recipe]
    given = {name: getattr(options, name) for name in ("batch_size", "lr", "image_size")}
    changes = {name: value for name, value in given.items() if value is not None}
    if options.epochs is not None or options.steps is not None:
        changes |= {"epochs": options.epochs, "steps": options.steps}
    recipe = dataclasses.replace(recipe, **changes)
    data = resnet.load_data(options.data, root=options.root, sample=options.sample)
    torch.manual_seed(options.seed)
    model = network(options.network, len(data.classes), data.channels)
    with process_group(options.device):
        first = process()[0] == 0
        run = resnet.fit(
            model, data, recipe, seed=options.seed, device=options.device,
            precision=options.precision, compiled=options.compiled, sync_bn=options.sync_bn,
            checkpoint=options.checkpoint, save_every=options.save_every,
            progress=first and bars(options),
        )  # fmt: skip
        run.command = command_line()
        if not first:
            return
        if options.record:  # before anything is printed, perhaps to somebody who does not listen
            run.save(options.record)
        if options.weights:
            about = {"data": run.provenance, "recipe": options.recipe, "seed": str(run.seed)}
            resnet.save_weights(model, options.weights, about)
        last, best = run.rows[-1], run.best("test_accuracy")
        print(f"{run.network} after {last['epoch']} epochs on {run.provenance}:")
        print(f"  training loss {last['train_loss']:.4f}, accuracy {last['train_accuracy']:.4f}")
        print(f"  test loss {last['test_loss']:.4f}, accuracy {last['test_accuracy']:.4f}")
        print(f"  best test accuracy {best['test_accuracy']:.4f}, epoch {best['epoch']}")
        print(
            f"  {run.images_per_second:,.0f} images per second, "
            f"{sum(run.seconds):.1f} s of training"
        )
        if options.weights:
            print(f"  weights in {options.weights}")
        if options.record:
            print(f"  recorded in {options.record}")


def data(options: argparse.Namespace) -> None:
    """Fetch a data set if it is not here, check it, and say what it holds."""
    found = resnet.load_data(options.name, root=options.root)
    for key, value in found.describe().items():
        print(f"{key:13} {value:,}" if type(value) is int else f"{key:13} {value}")


def report(options: argparse.Namespace) -> None:
    """Judge filled notebooks and print a row for each exercise."""
    given = {} if options.seconds is None else {"seconds": options.seconds}
    print(resnet.check.report(*options.notebooks, **given))


def bench(options: argparse.Namespace) -> None:
    """Time training on noise and print one line per row; write the record."""
    require_writable(record=options.record)
    device = pick_device(options.device)
    precisions = [options.precision or pick_precision(None, device)]
    if options.precision is None and precisions != ["float32"]:
        precisions.append("float32")
    rows: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    content = head(device) | {"rows": rows, "failed": failed}
    for row in speeds(device, precisions, steps=options.steps):
        (failed if "error" in row else rows).append(row)
        if options.record:  # row by row: one that fails costs none of the others
            write_json(options.record, content)
        if "error" in row:  # which is told already
            continue
        print(
            f"{row['network']:<10} {row['input'][3]:>3} pixels, batch {row['input'][0]}, "
            f"{row['precision']:<8} {'compiled' if row['compiled'] else 'eager':<8} "
            f"{row['images_per_second']:>10,.1f} images/s, {row['share_of_ceiling']:>6.1%} of the "
            f"matrix products' {row['ceiling_gigaflops']:,.0f} GFLOP/s, "
            f"{row['warm_up_seconds']:.0f} s to warm up",
            flush=True,
        )
    if options.record:
        print(f"recorded in {options.record}")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m resnet", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="train a network, resume it, record it")
    add = training.add_argument
    add("--network", default="ResNet-18", metavar="NAME", help=NAMES)
    add("--data", default="fashion-mnist", help=SETS)
    add("--sample", action="store_true", help="the small sample that comes with the package")
    add("--root", help="folder of the data sets (default: RESNET_DATA or ~/.cache/resnet-book)")
    add(
        "--recipe", default="fast", choices=list(resnet.RECIPES),
        help="see resnet/training/recipes.py",
    )  # fmt: skip
    add("--epochs", type=int, help="instead of the recipe's")
    add("--steps", type=int, help="gradient steps in all, instead of the recipe's")
    add("--batch-size", type=int, help="over all processes, instead of the recipe's")
    add("--lr", type=float, help="learning rate, instead of the recipe's")
    add("--image-size", type=int, help="pixels per side, instead of the recipe's")
    add("--seed", type=int, default=0, help="of weights, order and augmentation")
    add("--device", help="cpu, cuda, cuda:1, mps (untested); default: the best there is")
    add("--precision", choices=["float32", "bfloat16"], help="default: the fastest native one")
    add("--compiled", action="store_true", help="use torch.compile; pays in long runs only")
    add("--sync-bn", action="store_true", help="BN over all processes' images; needs GPUs")
    add("--checkpoint", type=Path, help="file to keep the state in, and to go on from")
    add("--save-every", type=float, default=60.0, metavar="SECONDS", help="between checkpoints")
    add("--record", type=Path, help="JSON file for the record")
    add("--weights", type=Path, help="file for the trained weights, as safetensors")
    add("--quiet", action="store_true", help="no progress bars")
    training.set_defaults(work=train)
    command.add(commands)
    timing = commands.add_parser("bench", help="time training on this machine")
    add = timing.add_argument
    add("--device", help="cpu, cuda, cuda:1, mps (untested); default: the best there is")
    add("--precision", choices=["float32", "bfloat16"], help="default: the fastest, and float32")
    add("--steps", type=int, help="gradient steps in one measurement")
    add("--record", type=Path, help="JSON file for the numbers")
    timing.set_defaults(work=bench)
    fetching = commands.add_parser("data", help="fetch a data set and check it")
    fetching.add_argument("name", help=SETS)
    fetching.add_argument("--root", help="folder of the data sets")
    fetching.set_defaults(work=data)
    judging = commands.add_parser("report", help="run the checks of filled notebooks")
    add = judging.add_argument
    add("notebooks", nargs="+", type=Path, metavar="NOTEBOOK", help="with answers to exercises")
    add("--seconds", type=float, help="for one exercise; default: see resnet.check.report")
    judging.set_defaults(work=report)
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status.

    0; 2 for a call that cannot be meant so, as argparse has it; 1 for another error that is told;
    130 for Ctrl-C.
    """
    options = arguments(given)
    try:
        options.work(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output is gone: say nothing, not at the end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
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
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # see resnet/__init__.py
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
