"""Measure what chapter 6 shows of networks before, during and after training, into results/.

`python -m tools.make_signals growth line factors shattering training gains grown kept lesions`: the
last five take up to an hour of a core each, and lesions needs what `make weights` trains.
"""

import argparse
import copy
import dataclasses
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet.book.recorded import trained
from resnet.data import ImageData, load_data
from resnet.measure import refresh_statistics
from resnet.nets import ResNet
from resnet.probe import (
    exchangeable,
    gradient_agreement,
    gradient_correlation,
    growth,
    keeps_shape,
    step_gain,
    swapped,
    units,
    without,
)
from resnet.training.batches import Batches
from resnet.training.loop import fit
from resnet.training.recipes import SMALL
from resnet.training.records import head, results, write_json
from resnet.variants import MOVED, network

FORMS = ("plain", "ResNet", "pre-activation ResNet")
SEEDS = range(5)
KINDS = ("", "constant scaling", "dropout", "exclusive gating", "exclusive gating b=0",
         "shortcut-only gating", "shortcut-only gating b=0", "option C", *MOVED)  # fmt: skip
LINE = [("plain", ""), *(("ResNet", kind) for kind in KINDS), ("pre-activation ResNet", "")]
FACTORS = (0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0, 1.05, 1.1)  # on every shortcut
SIZE = 16  # pixels per side
# for the first steps: networks; after how many steps, and whether with SMALL's warm-up
TRAINED = ("plain-20, width 8", *(f"{form}-56, width 8" for form in FORMS))
FIRST = ((0, True), (1, True), (1, False), (10, True), (100, True), (1000, True))
DEPTHS = (20, 56)  # of lesions
STATISTICS = 2048  # training images for BN's averages
# for single steps: networks, after how many steps, the rates
STEPPED = (*TRAINED, "ResNet-20, width 8")
GROWN = ("plain-56, width 8, grown start",)
KEPT = tuple(f"ResNet-56, width 8, {kind}" for kind in ("BN after addition", "constant scaling"))
MOMENTS = (400, 1000)
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
Row = dict[str, Any]


def sample(count: int) -> tuple[Tensor, Tensor]:
    """Return the first training images of the book's Fashion-MNIST sample, and their labels."""
    data = load_data("fashion-mnist", sample=True)
    batches = Batches(
        data, dataclasses.replace(SMALL, image_size=SIZE, batch_size=count), torch.device("cpu")
    )
    images, labels = next(iter(batches.clean(count, count)))
    return images, labels


def make(name: str, seed: int) -> ResNet:
    """Make a network for the sample's images with the weights of a seed."""
    torch.manual_seed(seed)
    return network(name, 10, 1)


def growths() -> Iterator[Row]:
    """Growth of the gradient from the last unit's input to the first's, by depth and form."""
    for kind in ("", ", bottlenecks"):
        for form in FORMS:
            for depth in (20, 32, 56, 110, 218) if not kind else (20, 56, 110, 218):
                name = f"{form}-{depth}{kind}"
                for batch in (32, 128):
                    images, labels = sample(batch)
                    found, losses = [], []
                    for seed in SEEDS:
                        net = make(name, seed)
                        found.append(growth(net, images, labels))
                        with torch.no_grad():
                            losses.append(F.cross_entropy(net(images), labels).item())
                    yield {
                        "network": name,
                        "form": form + kind,
                        "units": len(units(net)),
                        "batch": batch,
                        "growth": found,
                        "loss": losses,
                    }


def lines() -> Iterator[Row]:
    """Measure the growth at three depths with something on the line from sum to sum."""
    images, labels = sample(64)
    for form, variant in LINE:
        for depth in (20, 56, 110):
            name = f"{form}-{depth}" + (f", {variant}" if variant else "")
            yield {
                "network": name,
                "form": form,
                "variant": variant,
                "units": len(units(make(name, 0))),
                "growth": [growth(make(name, seed), images, labels) for seed in SEEDS],
            }


def scaled(net: ResNet, factor: float) -> ResNet:
    """Multiply what every shortcut of a network carries."""
    for unit in units(net):
        assert unit.shortcut is not None  # the networks of the figure are not plain
        unit.shortcut.register_forward_hook(lambda _, __, carried: factor * carried)
    return net


def factors() -> Iterator[Row]:
    """Measure the growth by the factor on every shortcut and the number of units."""
    images, labels = sample(64)
    for factor in FACTORS:
        for depth in (20, 32, 44, 56, 80, 110):
            name = f"pre-activation ResNet-{depth}"
            nets = [scaled(make(name, seed), factor) for seed in SEEDS]
            yield {
                "network": name,
                "factor": factor,
                "units": len(units(nets[0])),
                "growth": [growth(net, images, labels) for net in nets],
            }


def shattering() -> Iterator[Row]:
    """Cosine of the input's gradients along lines between two images, by their distance."""
    images, _ = sample(128)
    for form in FORMS:
        for depth in (20, 56, 110):
            curves = []
            for seed in SEEDS:
                net = make(f"{form}-{depth}", seed)
                refresh_statistics(net, [images])
                start, end = images[2 * seed], images[2 * seed + 1]
                curves.append(gradient_correlation(net, start, end))
            yield {"network": f"{form}-{depth}", "correlation": curves}


def training_run(name: str, seed: int, steps: int, *, warm_up: bool = True) -> ResNet:
    """Return a network after so many steps of SMALL's shape, its rate 0.01, then 0.1."""
    net = make(name, seed)
    if steps:
        recipe = dataclasses.replace(
            SMALL,
            steps=steps,
            image_size=SIZE,
            milestones=(),
            warm_up=SMALL.warm_up if warm_up else None,
        )
        fit(net, load_data("fashion-mnist"), recipe, seed=seed, device="cpu", precision="float32",
            progress=False)  # fmt: skip
    return net.train()


def first_steps() -> Iterator[Row]:
    """Measure networks before and in the first thousand steps, with images of the training set.

    The first step is also tried at the full rate.
    """
    images, labels = sample(256)
    first, second = (images[:128], labels[:128]), (images[128:], labels[128:])
    for name in TRAINED:
        for seed in SEEDS[:2]:
            for steps, warm_up in FIRST:
                net = training_run(name, seed, steps, warm_up=warm_up)
                with torch.no_grad():
                    loss = F.cross_entropy(net(first[0]), first[1]).item()
                row = {
                    "network": name,
                    "seed": seed,
                    "steps": steps,
                    "rate": 0.1 if steps == 1000 or not warm_up else 0.01,
                    "loss": loss,
                    "growth": growth(net, *first),
                    "agreement": gradient_agreement(net, first, second),
                    "moved": distances(make(name, seed), net),
                    "scales": [
                        m.weight.abs().mean().item()
                        for m in net.modules()
                        if isinstance(m, nn.BatchNorm2d)
                    ],
                }
                refresh_statistics(net, [first[0]])
                row["correlation"] = [
                    gradient_correlation(net, images[2 * i], images[2 * i + 1])[1] for i in range(5)
                ]
                yield row


def gains(names: Sequence[str] = ()) -> Iterator[Row]:
    """Measure how far the gradient tells the truth, at two moments of the first thousand steps.

    A pilot with seed 0 had been seen before this was planned: plain-56 at both moments, ResNet-56
    at the first. Expected: after 1,000 steps a step at the recipe's rate, 0.1, gains a smaller part
    of what the gradient predicts in plain-56 than in the other networks, and in it all kernels
    together gain less than each alone by more than in the residual networks. "grown" was planned
    when this had been seen. Expected: as in plain-56, at the end of the warm-up less than half.
    "kept", residual networks whose sum is kept at one size, was planned after both. Expected, at
    the end of the warm-up and at the rate of 0.1: with constant scaling less than ResNet-56 with
    the same seed; with BN after the addition between the two, if the difference is large enough
    for two seeds to show an order.
    """
    images, labels = sample(256)
    for name in names or STEPPED:
        for seed in SEEDS[1:3]:
            for steps in MOMENTS:
                net = training_run(name, seed, steps)
                with torch.no_grad():
                    loss = F.cross_entropy(net(images), labels).item()
                yield {
                    "network": name,
                    "seed": seed,
                    "steps": steps,
                    "loss": loss,
                    "gains": [
                        {"rate": rate, **step_gain(net, images, labels, rate)._asdict()}
                        for rate in RATES
                    ],
                }


def distances(start: nn.Module, end: nn.Module) -> list[float]:
    """Return how far each convolution's weights have moved, as a share of their norm."""
    pairs = zip(start.modules(), end.modules(), strict=True)
    return [
        ((b.weight - a.weight).norm() / a.weight.norm()).item()
        for a, b in pairs
        if isinstance(a, nn.Conv2d) and isinstance(b, nn.Conv2d)
    ]


def lesions() -> Iterator[Row]:
    """Test errors of the trained networks with units taken out, or two that changed places.

    Units that change the shape stay. Errors are of all 10,000 test images, in percent: with the BN
    averages that the training left, and with averages taken anew of `STATISTICS` training images.
    """
    data = load_data("fashion-mnist")
    assert isinstance(data, ImageData)
    batches = Batches(data, SMALL, torch.device("cpu"))
    clean = [x for x, _ in batches.clean(STATISTICS, 128)]
    test = list(zip(batches.test(500), data.test_labels.split(500), strict=True))

    @torch.no_grad()
    def error(net: nn.Module) -> float:
        net.eval()
        wrong = sum(int((net(x).argmax(1) != labels).sum()) for x, labels in test)
        return 100 * wrong / len(data.test_labels)

    for depth in DEPTHS:
        for form in FORMS:
            name = f"{form}-{depth}, width 8"
            net = trained(name)
            free = [i for i, unit in enumerate(units(net)) if keeps_shape(unit)]
            draw = random.Random(0)
            removed = [[], *([i] for i in free)]
            removed += [
                draw.sample(free, k) for k in (2, 5, 10) if k < len(free) for _ in range(10)
            ]
            changes = [("removed", chosen, without(net, chosen)) for chosen in removed]
            pairs = [pair for pair in itertools.combinations(free, 2) if exchangeable(net, *pair)]
            for pair in draw.sample(pairs, min(10, len(pairs))):
                changes.append(("swapped", list(pair), swapped(net, *pair)))
            for change, chosen, changed in changes:
                kept = copy.deepcopy(net.state_dict())
                with changed:
                    row = {"network": name, "change": change, "units": chosen, "error": error(net)}
                    refresh_statistics(net, clean)
                    row["refreshed"] = error(net)
                net.load_state_dict(kept)
                yield row


MEASUREMENTS: dict[str, Callable[[], Iterator[Row]]] = {
    "growth": growths,
    "line": lines,
    "factors": factors,
    "shattering": shattering,
    "training": first_steps,
    "gains": gains,
    "grown": partial(gains, GROWN),
    "kept": partial(gains, KEPT),
    "lesions": lesions,
}


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print a line per row, write a record per measurement."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_signals", description=__doc__)
    parser.add_argument("what", nargs="+", choices=MEASUREMENTS)
    for what in parser.parse_args(given).what:
        record = head() | {"rows": []}
        for row in MEASUREMENTS[what]():
            record["rows"].append(row)
            print(what, row["network"], flush=True)
        write_json(results() / f"why-{what}.json", record)


if __name__ == "__main__":
    main()
