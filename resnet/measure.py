"""What a network costs: parameters, multiply-adds and the shape after every layer."""

import copy
import itertools
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from resnet.arguments import require_positive
from resnet.tables import Table
from resnet.translation import _


class Layer(NamedTuple):
    """One row of a `LayerTable`."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


class LayerTable(list[Layer]):
    """Rows of a network's layers; prints as text and shows as a table in a notebook."""

    HEADER = (_("layer"), _("kind"), _("output shape"), _("parameters"), _("multiply-adds"))

    @property
    def parameters(self) -> int:
        """All parameters."""
        return sum(row.parameters for row in self)

    @property
    def multiply_adds(self) -> int:
        """All multiply-adds of the convolutions and the linear layers."""
        return sum(row.multiply_adds for row in self)

    def table(self) -> Table:
        """Return the rows and their total as a table."""
        rows: list[tuple[object, ...]] = [
            (r.name, r.kind, " × ".join(map(str, r.output_shape)), r.parameters, r.multiply_adds)
            for r in self
        ]
        total = (_("total"), "", "", self.parameters, self.multiply_adds)
        return Table(self.HEADER, [*rows, total])

    def __repr__(self) -> str:
        return repr(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def layer_table(
    model: nn.Module, input_shape: tuple[int, ...], *, depth: int | None = None
) -> LayerTable:
    """Run a copy of `model` on an input without data and note every layer.

    Nothing is computed and the model is left alone, so that ImageNet sizes cost nothing.

    Args:
        model: any module with one input and one output.
        input_shape: of the whole batch, as (1, 3, 224, 224); the costs are for all of it.
        depth: levels of nesting to open; 1 gives the model's direct children, None the layers.

    Raises:
        ValueError: if the model cannot take this shape, or depth is not a whole number from 1 on.

    """
    if depth is not None:
        require_positive(depth=depth)
    model = copy.deepcopy(model).to("meta").eval()
    rows: dict[str, tuple[nn.Module, bool, tuple[int, ...]]] = {}

    def note(name: str, module: nn.Module, whole: bool) -> None:
        def hook(_module: nn.Module, _args: object, output: Tensor) -> None:
            rows[name] = (module, whole, tuple(output.shape))

        module.register_forward_hook(hook)

    for name, module in model.named_modules():
        levels = name.count(".") + 1 if name else 0
        if depth is not None and levels > depth:
            continue
        whole = levels == depth or not any(module.children())
        if whole or list(module.parameters(recurse=False)):  # its own, beside the layers it holds
            note(name, module, whole)
    counter = FlopCounterMode(display=False)
    try:
        with counter, torch.no_grad():
            model(torch.empty(input_shape, device="meta"))
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"input_shape={input_shape}: the model cannot take it: {error}") from error
    root = type(model).__name__
    flops = counter.get_flop_counts()
    return LayerTable(
        Layer(
            name=name or root,
            kind=type(module).__name__,
            output_shape=shape,
            parameters=sum(p.numel() for p in module.parameters(whole) if p.requires_grad),
            multiply_adds=whole
            * sum(flops.get(f"{root}.{name}" if name else root, {}).values())
            // 2,
        )
        for name, (module, whole, shape) in rows.items()
    )


def count_parameters(model: nn.Module) -> int:
    """Count the trainable numbers: weights and biases, BN's scales and shifts."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def multiply_adds(model: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Count a forward pass's multiply-adds; the papers call them FLOPs (2016a, Table 1).

    Convolutions and linear layers only, as there; see `layer_table` for the arguments.
    """
    return layer_table(model, input_shape).multiply_adds


@torch.no_grad()
def refresh_statistics(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace the running statistics of every BN by those of `batches`, and end in evaluation mode.

    In training, BN's running statistics are an average over past steps, with past weights; this
    makes them belong to the weights of now. They are the mean over the batches of each batch's
    mean and variance. All else, dropout for example, is in evaluation mode meanwhile.

    Args:
        model: changed in place: its buffers, not its weights.
        batches: images (N, C, H, W), prepared as for training; best about as many in a batch.

    Raises:
        ValueError: if there is no batch; the statistics are as before then.

    """
    batches = iter(batches)
    if (first := next(batches, None)) is None:
        raise ValueError("batches has none: the statistics need at least one batch of images")
    model.eval()
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over the batches
        norm.train()
    try:
        for images in itertools.chain([first], batches):
            model(images)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.eval()


@torch.no_grad()
def layer_responses(model: nn.Module, images: Tensor) -> list[float]:
    """Return the standard deviation of each layer's response, first layer to last.

    A response is the output of a convolution after its BN and before the ReLU or the addition
    (2016a, Fig. 7); so this is defined for networks whose BN follows the convolutions.

    Args:
        model: of `resnet.nets`, in its original form or plain; it is left in evaluation mode, in
            which the responses depend on BN's running statistics: see `refresh_statistics`.
        images: (N, C, H, W), prepared as for the network's training.

    """
    found: list[float] = []
    model.eval()
    hooks = [
        module.register_forward_hook(lambda _, __, out: found.append(out.std().item()))
        for name, module in model.named_modules()
        if isinstance(module, nn.BatchNorm2d) and ".shortcut." not in name
    ]
    try:
        model(images)
    finally:
        for hook in hooks:
            hook.remove()
    return found
