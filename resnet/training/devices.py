"""Where and in what precision to compute, on what machine, and what processes say to another."""

import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Literal, get_args

import torch
import torch.distributed as dist
from torch import Tensor

from resnet.arguments import require_one_of

Precision = Literal["float32", "bfloat16"]


def pick_device(device: torch.device | str | None = None) -> torch.device:
    """Return the device asked for, or without a wish: CUDA, else Apple's MPS, else the CPU.

    Of several processes on one machine, each gets a CUDA device of its own. MPS is untested: no
    number of the book was made on it, and no test runs on it.

    Raises:
        ValueError: if the device asked for is not on this machine, or a process has none left.

    """
    if device is None:
        if torch.cuda.is_available():
            number = int(os.environ.get("LOCAL_RANK", torch.cuda.current_device()))
            if number >= (count := torch.cuda.device_count()):
                raise ValueError(
                    f"LOCAL_RANK={number}: {count} GPU{'s' * (count > 1)} here, one for each "
                    f"process: use torchrun --nproc-per-node {count}, or device='cpu'"
                )
            return torch.device("cuda", number)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros((), device=chosen).item()
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(f"device={device!r} cannot be used here: {error}") from error
    return chosen


def pick_precision(precision: Precision | None, device: torch.device) -> Precision:
    """Return the precision asked for, or without a wish the fastest that is native to the device.

    That is bfloat16 on a GPU that has it and on processors with AMX or AVX512-BF16, as torch tells,
    else float32. With bfloat16 (autocast) the layers compute in it and pass it on; weights, their
    updates, stored gradients and the loss are in float32.

    Raises:
        ValueError: for another name, or bfloat16 on a device that cannot compute it.

    """
    if precision is not None:
        require_one_of("precision", precision, get_args(Precision))
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        native = any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16"))
    else:
        native = False
    if precision == "bfloat16" and not native and device.type != "cpu":
        raise ValueError(f"precision='bfloat16': {device} cannot compute it: use 'float32'")
    return precision or ("bfloat16" if native else "float32")


@contextlib.contextmanager
def arithmetic(device: torch.device, precision: Precision) -> Iterator[None]:
    """Compute in a precision; where float32 stays on CUDA, matrix products may use TF32."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            yield
    finally:
        if device.type == "cuda":
            torch.set_float32_matmul_precision(before[0])
            torch.backends.cudnn.allow_tf32 = before[1]


def machine(device: torch.device | str = "cpu") -> dict[str, str]:
    """Name the device and the versions that a number depends on."""
    device = torch.device(device)
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        kind = torch.cpu.get_capabilities().get("cpu_name") or platform.machine()
        threads = torch.get_num_threads()
        name = f"{kind} {device.type.upper()}, {threads} thread{'s' * (threads > 1)}"
    return {
        "device": name,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "torchvision": version("torchvision"),
    }


def reset_peak_memory(device: torch.device) -> None:
    """Let `peak_memory` begin anew; it cannot where it is the process's."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device | str = "cpu") -> int:
    """Return the most bytes held: on a GPU since `reset_peak_memory`, else by this process so far.

    On a GPU it is what tensors hold; 0 where it is unknown.
    """
    if torch.device(device).type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def process() -> tuple[int, int]:
    """Return this process's number and how many train together, (0, 1) for one alone."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def gathered(number: int) -> list[int]:
    """Return the number of each process, in their order."""
    numbers = [number] * process()[1]
    if len(numbers) > 1:
        dist.all_gather_object(numbers, number)
    return numbers


def out_of_memory(error: Exception) -> bool:
    """Say whether this is how torch tells that the memory of a device, or of the CPU, is full."""
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


def summed(numbers: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes."""
    if process()[1] > 1:
        dist.all_reduce(numbers)
    return numbers


@contextlib.contextmanager
def process_group(device: str | None = None) -> Iterator[None]:
    """Join the processes that torchrun has started: NCCL with GPUs, else gloo; nothing for one.

    Args:
        device: the one asked for, as for `pick_device`; "cuda" gives each process of a machine a
            GPU of its own.

    Raises:
        ValueError: for more processes on a machine than it has GPUs.

    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    gpus = torch.cuda.is_available() and (device is None or device.startswith("cuda"))
    if gpus:
        torch.cuda.set_device(pick_device())
    dist.init_process_group("nccl" if gpus else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()
