"""A simulated GPU: code that asks for "cuda" runs without one, with a processor's numbers.

    with SimulatedGpu() as gpu:
        fit(net, data, recipe)  # on "cuda"
    assert not gpu.waits

A tensor on it says `cuda:0` and holds one of the processor's. Every operation of torch comes
through `SimulatedGpu.run`, which raises CUDA's errors where devices are mixed and notes each place
at which the host would wait. Autograd, autocast, fused optimizers, checkpoints and CUDA graphs
work: the capture of a graph changes nothing and forbids waiting, its replay repeats the operations
on the same memory. Kernels, streams, compilers, limits of memory and NCCL are not here.

To torch's own code the tensors are on a third kind of device, because without a driver a CUDA
tensor cannot go backward (torch 2.11).
"""

from __future__ import annotations

import contextlib
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import torch
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils.backend_registration import (
    _DummyBackendModule,
    _setup_privateuseone_for_python_backend,
)

GPU = torch.device("cuda", 0)
OTHER = "simulated"  # torch's name for the third kind
aten = torch.ops.aten
WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique2",
           "unique_dim", "bincount"}  # fmt: skip


class Backend(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


_setup_privateuseone_for_python_backend(OTHER, Backend())


def _casting() -> Iterator[torch.library.Library]:
    """Give the third kind CUDA's autocast, for the operations of this book."""
    fallback = torch.library.Library("_", "IMPL", "AutocastPrivateUse1")
    fallback.fallback(torch.library.fallthrough_kernel)
    yield fallback
    library = torch.library.Library("aten", "IMPL", "AutocastPrivateUse1")
    here = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastPrivateUse1)

    def cast(operation: Any, dtype: Callable[[], torch.dtype]) -> Callable[..., Any]:
        def change(value: object) -> object:
            floating = isinstance(value, torch.Tensor) and value.is_floating_point()
            return value.to(dtype()) if floating else value

        def cast_first(*args: Any, **options: Any) -> Any:
            with torch._C._ExcludeDispatchKeyGuard(here):
                return operation(*pytree.tree_map(change, args), **options)

        return cast_first

    for operation in (aten.conv2d.default, aten.linear.default, aten.matmul.default,
                      aten.mm.default, aten.addmm.default):  # fmt: skip
        library.impl(operation, cast(operation, lambda: torch.get_autocast_dtype(OTHER)))
    for operation in (aten.log_softmax.int, aten.softmax.int, aten.nll_loss.default):
        library.impl(operation, cast(operation, lambda: torch.float32))
    yield library


LIBRARIES = list(_casting())  # their work ends with them


class CudaTensor(torch.Tensor):
    """Looks like a tensor on a GPU; `held` has the numbers."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> CudaTensor:
        return torch.Tensor._make_wrapper_subclass(
            cls, held.size(), strides=held.stride(), storage_offset=held.storage_offset(),
            dtype=held.dtype, layout=held.layout, device=torch.device(OTHER, 0),
        )  # fmt: skip

    def __init__(self, held: torch.Tensor) -> None:
        self.held = held

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return SimulatedGpu.now.run(func, args, kwargs or {})

    device = property(lambda self: GPU)  # type: ignore[assignment]
    is_cuda = property(lambda self: True)  # type: ignore[assignment]
    is_cpu = property(lambda self: False)  # type: ignore[assignment]

    def to(self, *args: Any, copy: bool = False, **options: Any) -> torch.Tensor:  # type: ignore[override]
        if args and isinstance(args[0], torch.Tensor):
            args = (args[0].device, args[0].dtype)
        device, dtype, non_blocking, order = torch._C._nn._parse_to(*args, **options)
        stays = device is None or on_gpu(device)
        if stays and dtype in (None, self.dtype) and order is None and not copy:
            return self
        wanted = {"dtype": dtype, "device": GPU if stays else device, "memory_format": order}
        given = {name: value for name, value in wanted.items() if value is not None}
        return aten._to_copy(self, non_blocking=non_blocking, **given)

    def cuda(self, *_: Any, **__: Any) -> torch.Tensor:
        return self

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def numpy(self, *_: Any, **__: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")

    __array__ = numpy

    def __format__(self, form: str) -> str:
        return format(self.item(), form) if self.dim() == 0 else object.__format__(self, form)

    def __reduce_ex__(self, protocol: Any) -> Any:  # as torch.load(map_location="cpu") gives it
        with torch._C._DisableTorchDispatch():
            return self.held.detach().clone().__reduce_ex__(protocol)

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"CudaTensor({tuple(self.shape)}, {self.dtype})"


def on_gpu(device: Any) -> bool:
    return device is not None and torch.device(device).type in ("cuda", OTHER)


def tensors_in(*values: Any) -> list[torch.Tensor]:
    return [v for v in pytree.tree_leaves(values) if isinstance(v, torch.Tensor)]


def written(func: Any, args: Any, kwargs: Any) -> list[torch.Tensor]:
    """The tensors that an operation changes."""
    found = []
    for i, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            found += tensors_in(args[i] if i < len(args) else kwargs.get(argument.name))
    if func is aten.native_batch_norm.default and args[5]:
        found += tensors_in(args[3:5])  # BN's averages, of which its schema says nothing
    return found


class Graph:
    """torch.cuda.CUDAGraph."""

    def __init__(self) -> None:
        self.steps: list[tuple[Any, Any, Any, list[Any]]] = []
        self.before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def do(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Note an operation, its memory, and what that held before."""
        changed = written(func, args, kwargs)
        for tensor in changed:
            self.before.setdefault(id(tensor), (tensor, tensor.detach().clone()))
        out = func(*args, **kwargs)
        returns = func._schema.returns
        values = out if len(returns) > 1 else [out]
        made = [None if r.alias_info else v for r, v in zip(returns, values, strict=False)]
        if (changed or tensors_in(made)) and "empty" not in func.overloadpacket.__name__:
            self.steps.append((func, args, kwargs, made))
        return out

    def replay(self) -> None:
        with torch._C._DisableTorchDispatch(), torch.no_grad():
            for func, args, kwargs, made in self.steps:
                out = func(*args, **kwargs)
                for old, new in zip(made, out if len(made) > 1 else [out], strict=False):
                    for a, b in zip(tensors_in(old), tensors_in(new), strict=False):
                        a.copy_(b)


@contextlib.contextmanager
def capture(graph: Graph, **_: Any) -> Iterator[None]:
    """torch.cuda.graph: afterwards all is as it was, and nothing is in what the graph makes."""
    random = torch.get_rng_state()
    SimulatedGpu.now.graph = graph
    try:
        yield
    finally:
        SimulatedGpu.now.graph = None
        torch.set_rng_state(random)
        with torch._C._DisableTorchDispatch(), torch.no_grad():
            for *_, made in graph.steps:
                for tensor in tensors_in(made):
                    if tensor.is_floating_point():
                        tensor.fill_(float("nan"))
            for tensor, value in graph.before.values():
                tensor.copy_(value)
            graph.before = {}


class Stream:
    def wait_stream(self, _: Stream) -> None: ...


class SimulatedGpu(TorchDispatchMode):
    """While it is entered, this machine has a GPU.

    Attributes:
        waits: how often the host waited for the device, by reason and line.
        graph: the one that is being captured.

    """

    now: SimulatedGpu

    def __init__(self) -> None:
        super().__init__()
        self.waits: Counter[str] = Counter()
        self.graph: Graph | None = None
        self.peaks_reset = 0

    def __enter__(self) -> SimulatedGpu:
        torch._C._ensureCUDADeviceGuardSet()  # one that does nothing
        SimulatedGpu.now = self
        self.patches = contextlib.ExitStack()
        for where, name, value in self._replaced():
            self.patches.enter_context(mock.patch.object(where, name, value, create=True))
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.patches.close()

    def _replaced(self) -> Iterator[tuple[Any, str, Any]]:
        apply, autocast, state = torch.nn.Module._apply, torch.autocast, torch.zeros(16).byte()

        def moved(module: torch.nn.Module, *args: Any, **options: Any) -> Any:
            """Module.to; a parameter stays the same object, as with CUDA."""
            where = torch.__future__
            with mock.patch.object(where, "_swap_module_params_on_conversion", True):
                return apply(module, *args, **options)

        def cast(kind: str, *args: Any, **options: Any) -> Any:
            return autocast(OTHER if kind == "cuda" else kind, *args, **options)

        def reset(*_: Any) -> None:
            self.peaks_reset += 1

        answers = {
            "is_available": True, "_lazy_init": None, "current_device": 0, "device_count": 1,
            "get_device_name": "simulated GPU", "is_bf16_supported": True, "synchronize": None,
            "max_memory_allocated": 12345, "empty_cache": None, "set_device": None,
            "is_current_stream_capturing": False, "get_rng_state": state, "set_rng_state": None,
            "manual_seed_all": None, "get_device_capability": (9, 0), "Stream": Stream(),
            "current_stream": Stream(), "stream": contextlib.nullcontext(),
        }  # fmt: skip
        for name, answer in answers.items():
            yield torch.cuda, name, lambda *_, answer=answer, **__: answer
        yield torch.cuda, "CUDAGraph", Graph
        yield torch.cuda, "graph", capture
        yield torch.cuda, "reset_peak_memory_stats", reset
        yield torch, "compile", lambda model=None, **_: model
        yield torch, "autocast", cast
        yield torch.nn.Module, "_apply", moved
        yield torch.nn.Module, "compile", lambda *_, **__: None
        yield torch.accelerator, "is_available", lambda: False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.run(func, args, kwargs or {})

    def run(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Do one operation of torch."""
        with torch._C._DisableTorchDispatch(), contextlib.ExitStack() as stack:
            if torch._C._len_torch_dispatch_stack():  # a tensor has led here, not the mode
                stack.enter_context(_disable_current_modes())
            return self._run(func, args, kwargs)

    def _run(self, func: Any, args: Any, kwargs: Any) -> Any:
        name, tensors = func.overloadpacket.__name__, tensors_in(args, kwargs)
        here = [t for t in tensors if isinstance(t, CudaTensor)]
        device = kwargs.get("device")
        if not here and not on_gpu(device):
            return func(*args, **kwargs)
        if name in ("_to_copy", "copy_"):
            stays = self._copy(name, args, kwargs)
        else:
            stays = device is None or on_gpu(device)
            self._judge(name, args, kwargs, tensors)
        args_, kwargs_ = pytree.tree_map(
            lambda v: v.held if isinstance(v, CudaTensor) else v, (args, kwargs)
        )
        if on_gpu(device):
            kwargs_["device"] = "cpu"
        kwargs_ |= {key: False for key in ("pin_memory", "non_blocking") if kwargs_.get(key)}
        out = (self.graph.do if self.graph else _do)(func, args_, kwargs_)
        known = {id(t.held): t for t in here}  # what was changed in place stays the same object

        def wrapped(value: Any) -> Any:
            if not isinstance(value, torch.Tensor) or value.device.type == "meta":
                return value
            found = known.get(id(value))
            return CudaTensor(value) if found is None else found

        if name == "copy_":
            return args[0]
        return pytree.tree_map(wrapped, out) if stays else out

    def _judge(self, name: str, args: Any, kwargs: Any, tensors: list[torch.Tensor]) -> None:
        """Raise what CUDA would raise, and note a wait."""
        others = [t for t in tensors if not isinstance(t, CudaTensor) and t.dim()]
        if "index" in name and isinstance(args[0], CudaTensor):  # indices may be the processor's
            indices = tensors_in(args[1])
            if any(i is t for i in indices for t in others):
                self._wait("indices from the processor")
            if any(i.dtype in (torch.bool, torch.uint8) for i in indices):
                self._wait("a mask as index")
            others = [t for t in others if not any(t is i for i in indices)]
        generator = kwargs.get("generator")
        if generator is not None and generator.device.type == "cpu":
            raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
        if others and any(isinstance(t, CudaTensor) for t in tensors):
            raise RuntimeError(
                "Expected all tensors to be on the same device, but found at least two devices, "
                f"cuda:0 and cpu! ({name})"
            )
        if name in WAITING:
            self._wait(name)

    def _copy(self, name: str, args: Any, kwargs: Any) -> bool:
        """Note what a copy between devices waits for; say whether its result is on the GPU."""
        source, blocking = args[0], not kwargs.get("non_blocking")
        stays = isinstance(source, CudaTensor)
        if name == "copy_":
            source, stays = args[1], isinstance(args[0], CudaTensor)
            blocking = not (args[2] if len(args) > 2 else kwargs.get("non_blocking"))
        elif kwargs.get("device") is not None:
            stays = on_gpu(kwargs["device"])
        came = isinstance(source, CudaTensor)
        if came and not stays and torch.device(kwargs.get("device") or "cpu").type != "meta":
            self._wait("a copy from the GPU")
        elif stays and not came and (blocking or self.graph) and source.dim():
            self._wait("a copy to the GPU")
        return stays

    def _wait(self, reason: str) -> None:
        if self.graph:
            told = "CUDA error: operation not permitted when stream is capturing"
            raise RuntimeError(f"{told}: {reason}")
        frames = [
            f"{frame.filename.rpartition('/')[2]}:{frame.name}"
            for frame in traceback.extract_stack()
            if "/torch/" not in frame.filename and frame.filename != __file__
        ]
        self.waits[f"{reason}, {frames[-1]}"] += 1


def _do(func: Any, args: Any, kwargs: Any) -> Any:
    return func(*args, **kwargs)
