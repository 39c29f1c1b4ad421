"""What a reader hands over where a module is asked for: it is copied, and never changed."""

import copy
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from types import CellType, FunctionType
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, is_lazy

from resnet.check.guard import Wrong, call, kind
from resnet.nets import ResNet


def built(make: Callable[..., Any], arguments: Sequence[Any], shown: str) -> nn.Module:
    """Call the reader's class or function; what comes must be a module with numbers in it."""
    return usable(call(make, *arguments, shown=shown), shown)


def usable(module: object, shown: str) -> nn.Module:
    """Return a copy of a module on the processor in float32, or raise Wrong for what is none."""
    if module is ...:
        raise Wrong(f"Nothing is written here yet: {shown}.")
    if isinstance(module, type):
        raise Wrong(f"{shown} is the class {module.__name__}; make a module of it: call it.")
    if not isinstance(module, nn.Module):
        raise Wrong(f"{shown} is {kind(module)}; expected a module (a subclass of nn.Module).")
    if any(tensor.is_meta for tensor in _tensors(module)):
        raise Wrong(f"{shown} is on the device meta: it has shapes, no numbers. Make it on cpu.")
    return copied(module, shown).cpu().float()


def own_copy(module: object, shown: str) -> nn.Module:
    """Return a copy of the reader's module as `usable` does, with weights that can be trained."""
    mine = usable(module, shown)
    for parameter in mine.parameters():
        parameter.requires_grad = True  # `requires_grad_` refuses lazy ones
    return mine


def not_the_books(module: nn.Module, *, nor_a_librarys: bool = False) -> nn.Module:
    """Return a network, or raise Wrong if one that exists already is in it, whole."""
    for part in module.modules():
        if isinstance(part, ResNet):
            raise Wrong("This is the book's own network. Build one of your own, from its blocks.")
        for base in type(part).__mro__ if nor_a_librarys else ():
            library = base.__module__.partition(".")[0]
            if library in ("torchvision", "timm") and base.__name__ == "ResNet":
                raise Wrong(f"This is {library}'s own network. Build one of your own, from blocks.")
    return module


def copied(module: nn.Module, shown: str) -> nn.Module:
    """Copy a module, run or not; the weights' memory is shared, so replace them, never write it."""
    memo: dict[int, object] = {}
    for part in module.modules():
        for value in vars(part).values():  # of hooks: most of the time would go there
            if type(value) in (dict, OrderedDict) and not value:
                memo[id(value)] = type(value)()
    for tensor in _tensors(module):
        if isinstance(tensor, UninitializedBuffer):  # PyTorch copies lazy parameters, not these
            memo[id(tensor)] = type(tensor)(False, tensor.device, tensor.dtype)  # type: ignore[arg-type]
        elif isinstance(tensor, nn.Parameter) and not is_lazy(tensor):
            memo[id(tensor)] = nn.Parameter(tensor.detach(), tensor.requires_grad)
    try:
        twin = copy.deepcopy(module, memo)
    except Exception as error:
        told = f"{shown} cannot be copied ({error}). Make it anew and do not run it before."
        raise Wrong(told) from None
    twins = dict(zip(map(id, module.modules()), twin.modules(), strict=True))
    for part in twin.modules():
        holders: list[dict[Any, Any]] = [vars(part), part._forward_hooks, part._forward_pre_hooks]
        for holder in holders:
            for name, value in holder.items():
                if isinstance(value, FunctionType) and value.__closure__:
                    holder[name] = _rebound(value, twins)
    return twin


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]


def _rebound(function: FunctionType, twins: Mapping[int, nn.Module]) -> FunctionType:
    """Return a function made inside `__init__` that sees the copies of the modules it saw."""
    cells = []
    for cell in function.__closure__ or ():
        try:
            cells.append(CellType(twins.get(id(cell.cell_contents), cell.cell_contents)))
        except ValueError:  # nothing in it yet
            cells.append(cell)
    again = FunctionType(function.__code__, function.__globals__, function.__name__,
                         function.__defaults__, tuple(cells))  # fmt: skip
    again.__kwdefaults__ = function.__kwdefaults__
    return again
