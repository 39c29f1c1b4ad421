"""What a reader hands over where a module is asked for."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from resnet.check.guard import Wrong, call, kind
from resnet.nets import ResNet


def built(make: Callable[..., Any], arguments: Sequence[Any], shown: str) -> nn.Module:
    """Call the reader's class or function; what comes must be a module with numbers in it."""
    return usable(call(make, *arguments, shown=shown), shown)


def usable(module: object, shown: str) -> nn.Module:
    """Return a module on the processor in float32, or raise Wrong for what is none."""
    if module is ...:
        raise Wrong(f"Nothing is written here yet: {shown}.")
    if isinstance(module, type):
        raise Wrong(f"{shown} is the class {module.__name__}; make a module of it: call it.")
    if not isinstance(module, nn.Module):
        raise Wrong(f"{shown} is {kind(module)}; expected a module (a subclass of nn.Module).")
    if any(tensor.is_meta for tensor in [*module.parameters(), *module.buffers()]):
        raise Wrong(f"{shown} is on the device meta: it has shapes, no numbers. Make it on cpu.")
    return module.cpu().float()


def not_the_books(module: nn.Module) -> nn.Module:
    """Return a network, or raise Wrong if it is one of those that the module has."""
    if isinstance(module, ResNet):
        raise Wrong("This is the book's own network. Build one of your own, from its blocks.")
    return module


def own_copy(module: object, shown: str) -> nn.Module:
    """Copy the reader's module, so that the check does not touch its weights."""
    if isinstance(module, nn.Module):
        try:
            module = copy.deepcopy(module)
        except Exception as error:
            raise Wrong(
                f"{shown} cannot be copied ({error}). Make it anew and do not run it before."
            ) from None
    return usable(module, shown).requires_grad_()
