"""The shared module of "How ResNet really works".

`blocks`, `nets` and `variants` are the networks of both papers; read these first. `weights` and
`measure` are about any of them, `probe` and `starts` about what chapter 6 asks. `arguments`,
`files`, `tables` and `translation` help everywhere. The folders: `data`; `training`, whose `loop`
holds `fit`; `reproduce`, claims to runs to verdicts; `check`, of the exercises; `book`, what pages
draw.
"""

import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

# `python -m resnet` imports this, and so torch, before a line of resnet/__main__.py runs; till then
# Ctrl-C ends it without a traceback. In the background a shell has Ctrl-C ignored.
if (
    sys.argv[:1] == ["-m"]
    and "resnet" in sys.orig_argv
    and signal.getsignal(signal.SIGINT) is signal.default_int_handler
):
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from resnet.blocks import BasicBlock, Bottleneck, PreActBasicBlock, PreActBottleneck
from resnet.data import DataError, DataMissingError, ImageData, ImageFolders, load_data
from resnet.measure import count_parameters, layer_table, multiply_adds
from resnet.nets import (
    cifar_resnet,
    imagenet_resnet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
)
from resnet.training.checkpoint import CheckpointError
from resnet.training.loop import Evaluation, evaluate, fit
from resnet.training.recipes import CIFAR, CIFAR_110, D2L, FAST, RECIPES, Recipe
from resnet.training.records import Run
from resnet.weights import load_torchvision, load_weights, save_weights

if TYPE_CHECKING:
    from resnet import book, check, reproduce
    from resnet.book.recorded import choose, keep_run, recorded

__version__ = "0.1.0"

# what is imported at its first use: folders, names of resnet.book.recorded
PACKAGES = ("book", "check", "reproduce")
RECORDED = ("choose", "keep_run", "recorded")

__all__ = [
    "CIFAR",
    "CIFAR_110",
    "D2L",
    "FAST",
    "RECIPES",
    "BasicBlock",
    "Bottleneck",
    "CheckpointError",
    "DataError",
    "DataMissingError",
    "Evaluation",
    "ImageData",
    "ImageFolders",
    "PreActBasicBlock",
    "PreActBottleneck",
    "Recipe",
    "Run",
    "book",
    "check",
    "choose",
    "cifar_resnet",
    "count_parameters",
    "evaluate",
    "fit",
    "imagenet_resnet",
    "keep_run",
    "layer_table",
    "load_data",
    "load_torchvision",
    "load_weights",
    "multiply_adds",
    "recorded",
    "reproduce",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "save_weights",
]


def __getattr__(name: str) -> Any:
    """Import at its first use what networks, data and training do without."""
    if name in PACKAGES:
        return import_module(f"resnet.{name}")
    if name in RECORDED:
        return getattr(import_module("resnet.book.recorded"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name these as well."""
    return sorted({*globals(), *__all__})
