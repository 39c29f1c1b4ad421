"""`python -m tools.bench NAME`: run a bench and write its record, results/bench-*.json."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from resnet.training.devices import pick_device
from resnet.training.records import head, write_json

from ..common import RESULTS
from . import accuracy, book, d2l, networks, probe

# name: the record's, and what is run; it yields the record whenever there is more of it
BENCHES: dict[str, tuple[str, Callable[..., Iterator[dict[str, Any]]]]] = {
    "book": ("book", book.bench),
    "networks": ("networks-{}", networks.bench),
    "probe": ("probe-{}", probe.bench),
    "d2l": ("d2l-{}", d2l.bench),
    "fast": ("fast-{}", accuracy.fast),
    "same": ("same-epochs-{}", accuracy.same),
}


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; what is left out the bench chooses, for the device."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True)
    of = {
        name: names.add_parser(name, help=(run.__doc__ or "").partition("\n")[0])
        for name, (_, run) in BENCHES.items()
    }
    for one in of.values():
        one.add_argument("--device", help="default: the best there is")
    of["networks"].add_argument("--batch", type=int, help="images at once; default: 8, on CUDA 256")
    of["networks"].add_argument("--size", type=int, help="pixels per side; default: 96, CUDA 224")
    of["networks"].add_argument("--eager", action="store_true", help="leave torch.compile out")
    of["probe"].add_argument("--steps", type=int, help="of an epoch; default: 60")
    of["d2l"].add_argument("--steps", type=int, help="of an epoch; default: 6, on CUDA all")
    of["d2l"].add_argument("--rounds", type=int, help="default: 4, on CUDA 3")
    seeds = range(1, 1 + len(accuracy.FAST_SEEDS))
    for one in (of["fast"], of["same"]):
        one.add_argument("--seeds", type=int, choices=seeds, help="default: 3, on CUDA 5")
    of["same"].add_argument("--epochs", type=int, help="default: 3, on CUDA 10")
    of["same"].add_argument("--image-size", type=int, help="default: 28, on CUDA 96")
    of["same"].add_argument("--images", type=int, help="default: the first 12,000, on CUDA all")
    of["same"].add_argument(
        "--resume", action="store_true", help="keep the record's seeds, if it is of this commit"
    )
    options = parser.parse_args(given)
    if options.name == "d2l" and (
        (options.rounds is not None and options.rounds < 1)
        or (options.steps is not None and options.steps < 5)
    ):
        parser.error("--rounds takes 1 or more, --steps 5 or more: D2L's loop plots five times")
    return options


def main(given: Sequence[str] | None = None) -> None:
    """Run the bench asked for and write its record."""
    options = vars(arguments(given))
    record, run = BENCHES[options.pop("name")]
    device = pick_device(options.pop("device"))
    about = head(device)
    path = RESULTS / f"bench-{record.format(device.type)}.json"
    if options.pop("resume", False) and path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if all(before[name] == about[name] for name in ("machine", "commit")):
            options["rows"] = before["rows"]
    for content in run(device, **options):
        write_json(path, about | content)
    print(f"Written to {path.name}.")


if __name__ == "__main__":
    main()
