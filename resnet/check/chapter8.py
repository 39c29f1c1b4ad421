"""Checks of chapter 8: exercises that take the material of several chapters."""

import copy
import math
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from resnet import nets
from resnet.check.answers import as_number, plain, slip
from resnet.check.comparing import close, run
from resnet.check.feedback import exercise
from resnet.check.running import Missing, Wrong, call, function, kind, own_copy
from resnet.data import load_data
from resnet.measure import refresh_statistics
from resnet.reproduce.checks import Less, Outcome
from resnet.training.records import Run
from resnet.translation import _

NETWORKS = ("plain-20", "plain-56", "ResNet-20", "ResNet-56")


@exercise
def rerun(runs: object, conclusions: object) -> str:
    """Check the records of a claim that was run again, and what is concluded from them."""
    by_network = _records(runs)
    losses = {name: [run.rows[-1]["train_loss"] for run in by_network[name]] for name in NETWORKS}
    if not isinstance(conclusions, Mapping) or set(conclusions) != {"plain", "ResNet"}:
        raise Wrong('Hand over conclusions as {"plain": …, "ResNet": …}.')
    if gaps := [key for key, value in conclusions.items() if value is ...]:
        names = _(" and ").join(gaps)
        raise Wrong("The runs are fine. Nothing is written yet for {names}.", names=names)
    words = ("worse", "better", "undecided")
    said = []
    conclusions = {family: plain(conclusion) for family, conclusion in conclusions.items()}
    for family, conclusion in conclusions.items():
        if conclusion not in words:
            raise Wrong(
                "{family}: expected one of {words}, not {conclusion!r}.",
                family=family,
                words=", ".join(words),
                conclusion=conclusion,
            )
        shallow, deep = losses[f"{family}-20"], losses[f"{family}-56"]
        outcome = Less("train_error", "20", "56").outcome({"20": shallow, "56": deep})
        right = {Outcome.HOLDS: "worse", Outcome.OPPOSITE: "better"}.get(outcome, "undecided")
        if conclusion != right:
            said.append(
                _(
                    '{family}: "{conclusion}" is not what the runs say. '
                    "Compare p of Welch's test with 5%, once for each side.",
                    family=family,
                    conclusion=conclusion,
                )
            )
    if said:
        raise Wrong(*said)
    found = ", ".join(f"{family} {word}" for family, word in conclusions.items())
    return _("the runs can be compared, and the conclusions are what they say: {all}", all=found)


def _records(runs: object) -> dict[str, list[Run]]:
    """Return the runs by network, if they can be compared; otherwise say what differs."""
    if runs is ... or (isinstance(runs, list | tuple) and not runs):
        raise Missing("Nothing is written here yet: fill the list runs.")
    if not isinstance(runs, list | tuple) or not all(isinstance(run, Run) for run in runs):
        raise Wrong("Hand over a list of what resnet.fit returns; this is {kind}.", kind=kind(runs))
    ordered = sorted(runs, key=lambda run: run.network)
    by_network = {name: list(group) for name, group in groupby(ordered, key=lambda r: r.network)}
    if strange := [name for name in by_network if name not in NETWORKS]:
        base, _comma, option = strange[0].partition(", ")
        if base in NETWORKS:
            raise Wrong(
                "{network} does not belong to this claim: {base} has no {option} in the text.",
                network=strange[0],
                base=base,
                option=option,
            )
        raise Wrong("{network} does not belong to this claim.", network=strange[0])
    if missing := [name for name in NETWORKS if name not in by_network]:
        raise Wrong(
            "There is no run of {missing}; there are {networks}.",
            missing=", ".join(missing),
            networks=", ".join(by_network),
        )
    first = ordered[0]
    for record in ordered:
        if not record.rows or not math.isfinite(record.rows[-1]["train_loss"]):
            raise Wrong("A run of {network} has no finite training loss.", network=record.network)
        for what in ("recipe", "data"):
            if getattr(record, what) != getattr(first, what):
                raise Wrong(
                    "{one} and {other} differ in the {what}: nothing can be concluded about depth.",
                    one=record.network,
                    other=first.network,
                    what=what,
                )
    for name, group in by_network.items():
        if len({run.seed for run in group}) < 2:
            raise Wrong(
                "{name} was run with one seed only: there is no telling how far two runs of it "
                "would differ. Is `seed=` passed to resnet.fit?",
                name=name,
            )
        if len({run.rows[-1]["train_loss"] for run in group}) < len(group):
            raise Wrong(
                "Two runs of {name} are the same run. Is the seed passed to resnet.fit, and is "
                "the network made anew for each run?",
                name=name,
            )
    return by_network


@exercise
def recalibrate(recalibrate: object, net: object, worth: object) -> str:
    """Check `recalibrate(net, batches)`, and by how many points it raises the accuracy of `net`."""
    ask = function(recalibrate, "recalibrate")
    _averages(ask)
    mine = own_copy(net, "net").eval()
    data = load_data("fashion-mnist", sample=True)
    train, test = (
        F.interpolate(i / 255, size=8, mode="area") for i in (data.train_images, data.test_images)
    )
    again = copy.deepcopy(mine)
    refresh_statistics(again, train.split(100))
    before, after = (
        100 * (run(each, test, "net").argmax(1) == data.test_labels).float().mean().item()
        for each in (mine, again)
    )
    if worth is ...:
        raise Wrong("Nothing is written here yet: worth.")
    given = as_number(worth, "worth")
    if abs(after - before) <= 0.3:
        raise Wrong("net has up-to-date averages already: hand it over as the starter made it.")
    if abs(given - (after - before)) <= 0.3:
        return _("the averages, and {after:.1f} points", after=after - before)
    slips = (
        (before - after, _("Is it a gain or a loss?")),
        ((after - before) / 100, _("Points are hundredths.")),
        (after, _("This is the accuracy afterwards. What was it before?")),
    )
    how = _("With the batches of the starter, how many test images are right, before and after?")
    raise Wrong(
        "worth: {given:g} is not right. {slip}",
        given=given,
        slip=slip(slips, given, how, absolute=0.3),
    )


def _averages(ask: Callable[..., Any]) -> None:
    """Raise Wrong unless the running averages of a small network become those of the batches."""
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 2, 1),
                        nn.BatchNorm2d(2))  # fmt: skip
    for i in (1, 4):  # a trained network's are neither ones nor zeros
        for name in ("weight", "bias"):
            nn.init.uniform_(net[i].get_parameter(name), 0.5, 1.5)
    batches = [i + torch.randn(4 + 2 * i, 1, 6, 5) for i in range(4)]
    right = copy.deepcopy(net)
    refresh_statistics(right, batches)
    net(9 + torch.randn(8, 1, 6, 5))  # averages of something else
    before = copy.deepcopy(net.state_dict())
    given = call(ask, net, list(batches), shown="recalibrate(net, batches)")
    for name, parameter in net.named_parameters():
        if not torch.equal(before[name], parameter):
            raise Wrong("recalibrate(net, batches) changes a parameter, {name}.", name=name)
        if not parameter.requires_grad:
            raise Wrong(
                "recalibrate(net, batches) leaves {name} frozen: `requires_grad` is False.",
                name=name,
            )
    as_before = all(torch.equal(before[name], now) for name, now in net.state_dict().items())
    if as_before and isinstance(given, nn.Module) and given is not net:
        raise Wrong("recalibrate(net, batches) returns another network; net itself is to change.")
    with torch.no_grad():
        biased = torch.stack([net[0](b).var((0, 2, 3), correction=0) for b in batches]).mean(0)
    for i in (1, 4):
        for name in ("running_mean", "running_var"):
            found, wanted = getattr(net[i], name), getattr(right[i], name)
            if not close(found, wanted):
                told = f"recalibrate(net, batches): {name} of BN {i} is not the mean over batches."
                why = _("Do the old averages count, and does the last batch count more?")
                if i == 4:
                    why = _("BN 1 is right. In which mode does BN 1 make what comes in here?")
                elif name == "running_var" and close(found, biased):
                    why = _("The variance is the unbiased one, which divides by M - 1.")
                raise Wrong(told, why)
        if net[i].momentum != 0.1:
            raise Wrong(
                "recalibrate(net, batches) leaves a momentum of {net} behind.", net=net[i].momentum
            )
    if net.training or any(part.training for part in net.modules()):
        raise Wrong("recalibrate(net, batches) leaves the network in training mode.")


PASSED = 0.8  # of the test digits


@exercise
def fine_tune(prepare: object, net: object, tuned: object) -> str:
    """Check `prepare(net)`, what is frozen and what the optimiser gets, and the tuned network."""
    ask = function(prepare, "prepare")
    _prepared(ask)
    before, after = own_copy(net, "net"), own_copy(tuned, "tuned").eval()
    data = load_data("digits")
    out = run(after, data.test_images / 255, "tuned")
    if out.shape != (len(data.test_labels), 10):
        raise Wrong(
            "tuned gives scores of shape {out}; expected ten per image.", out=tuple(out.shape)
        )
    old, new = before.state_dict(), after.state_dict()
    for name in old:
        if name.startswith(("stem.", "stage1.", "stage2.")) and not (
            name in new and torch.equal(old[name], new[name])
        ):
            raise Wrong(
                "tuned is not net with a new end: {name} differs, which was to be frozen.",
                _("In which mode was it trained?")
                if "running" in name or "num_" in name
                else _("Was it made from a copy of net?"),
                name=name,
            )
    for name in ("running_mean", "running_var"):
        if any(not torch.equal(old[n], new[n]) for n in old if n.endswith(name)):
            raise Wrong("In tuned, the running averages of stage3 have moved. In which mode was it "
                        "trained?")  # fmt: skip
    accuracy = (out.argmax(1) == data.test_labels).float().mean().item()
    if accuracy <= PASSED:
        raise Wrong(
            "tuned finds {accuracy:.1%} of the test digits; more than {PASSED:.0%} are "
            "asked for. Train longer, or with another rate.",
            accuracy=accuracy,
            PASSED=PASSED,
        )
    return _("what is frozen and trained; {accuracy:.1%} of the test digits", accuracy=accuracy)


def _prepared(ask: Callable[..., Any]) -> None:
    shown = "prepare(net)"
    net = nets.cifar_resnet(8, 10, 1)
    replaced = list(net.fc.parameters())  # kept alive: another object could get the same id
    given = call(ask, net, shown=shown)
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise Wrong(
            "{shown} is {given}; expected net and an optimiser.", shown=shown, given=kind(given)
        )
    made, optimizer = given
    if not isinstance(made, nn.Module) or not isinstance(optimizer, torch.optim.Optimizer):
        raise Wrong(
            "{shown} returns {made} and {optimizer}; expected net, optimiser.",
            shown=shown,
            made=kind(made),
            optimizer=kind(optimizer),
        )
    names = {id(p): name for name, p in made.named_parameters()}
    fc = getattr(made, "fc", None)
    if not isinstance(fc, nn.Linear) or fc.out_features != 10:
        raise Wrong("{shown}: net.fc is no linear layer to 10 classes.", shown=shown)
    if any(p is old for p in fc.parameters() for old in replaced):
        raise Wrong("{shown}: net.fc is the old layer.", shown=shown)
    for name, parameter in made.named_parameters():
        trained = name.startswith(("fc.", "stage3."))
        if parameter.requires_grad != trained:
            raise Wrong(
                "{shown}: {name} is {frozen}.",
                shown=shown,
                name=name,
                frozen="frozen" if trained else "not frozen",
            )
    rates: dict[str, float] = {}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if id(parameter) not in names:
                raise Wrong(
                    "{shown}: the optimiser has a parameter that is not in net.", shown=shown
                )
            rates[names[id(parameter)]] = float(group["lr"])
    for name, parameter in made.named_parameters():
        if parameter.requires_grad != (name in rates):
            has = "has" if name in rates else "lacks"
            raise Wrong("{shown}: the optimiser {has} {name}.", shown=shown, has=has, name=name)
    ends, body = ({r for n, r in rates.items() if n.startswith(p)} for p in ("fc.", "stage3."))
    if len(ends) != 1 or len(body) != 1 or not math.isclose(ends.pop(), 10 * body.pop()):
        raise Wrong("{shown}: the rate of stage3 is not a tenth of that of fc.", shown=shown)
    if training := [name for name, part in made.named_modules() if part.training]:
        if made.training:
            raise Wrong("{shown}: the network is in training mode.", shown=shown)
        raise Wrong(
            "{shown}: net.{name} is in training mode. What is made after net.eval() was not there "
            "to be told.",
            shown=shown,
            name=training[0],
        )
