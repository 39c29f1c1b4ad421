"""The shared module of "How ResNet really works"."""

from resnet import check
from resnet.blocks import BasicBlock, Bottleneck, PreActBasicBlock, PreActBottleneck
from resnet.checkpoint import CheckpointError
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
from resnet.recipes import CIFAR, CIFAR_110, D2L, FAST, RECIPES, Recipe
from resnet.runs import Run, choose, keep, recorded
from resnet.train import Evaluation, evaluate, fit
from resnet.weights import load_torchvision, load_weights, save_weights

__version__ = "0.1.0"

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
    "check",
    "choose",
    "cifar_resnet",
    "count_parameters",
    "evaluate",
    "fit",
    "imagenet_resnet",
    "keep",
    "layer_table",
    "load_data",
    "load_torchvision",
    "load_weights",
    "multiply_adds",
    "recorded",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "save_weights",
]
