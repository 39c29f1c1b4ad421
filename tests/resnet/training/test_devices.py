"""Which device and which precision; an impossible wish is an error."""

from __future__ import annotations

import pytest
import torch

from resnet.training.devices import (
    arithmetic,
    machine,
    pick_device,
    pick_precision,
    process,
    process_group,
)

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


def test_device_without_a_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA before Apple's MPS before the CPU."""
    assert pick_device("cpu") == torch.device("cpu")
    for cuda, mps, want in (
        (True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu"),
    ):  # fmt: skip
        monkeypatch.setattr(torch.cuda, "is_available", lambda cuda=cuda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda mps=mps: mps)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        assert pick_device().type == want


def test_a_device_for_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert pick_device() == torch.device("cuda", 3)


def test_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third of three with two GPUs; without a wish, and when it joins the others."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "3")
    told = "^LOCAL_RANK=2: 2 GPUs here, .* --nproc-per-node 2"
    with pytest.raises(ValueError, match=told):
        pick_device()
    with pytest.raises(ValueError, match=told), process_group("cuda"):
        pass


@pytest.mark.parametrize(
    ("has", "want"),
    [
        ({"amx_bf16": True}, "bfloat16"),
        ({"avx512_bf16": True}, "bfloat16"),
        ({"avx512_f": True, "amx_bf16": False}, "float32"),
        ({}, "float32"),
    ],
)
def test_precision_of_a_processor(
    monkeypatch: pytest.MonkeyPatch, has: dict[str, bool], want: str
) -> None:
    """bfloat16 only where the processor computes it; asked of torch."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    assert pick_precision(None, CPU) == want
    assert pick_precision("float32", CPU) == "float32"
    assert pick_precision("bfloat16", CPU) == "bfloat16"  # slow there, but not impossible


@pytest.mark.parametrize(("supported", "want"), [(True, "bfloat16"), (False, "float32")])
def test_precision_of_a_gpu(monkeypatch: pytest.MonkeyPatch, supported: bool, want: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: supported)
    assert pick_precision(None, CUDA) == want
    if not supported:
        with pytest.raises(ValueError, match="precision='bfloat16': cuda:0 cannot compute it"):
            pick_precision("bfloat16", CUDA)


def test_precision_of_mps_and_wrong_names() -> None:
    assert pick_precision(None, torch.device("mps")) == "float32"
    with pytest.raises(ValueError, match="precision='half': expected one of 'float32'"):
        pick_precision("half", CPU)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_arithmetic(precision: str, dtype: torch.dtype) -> None:
    x = torch.ones(2, 2)
    with arithmetic(CPU, precision):  # type: ignore[arg-type]
        assert (x @ x).dtype == dtype
    assert (x @ x).dtype == torch.float32


def test_alone() -> None:
    assert process() == (0, 1)


def test_machine() -> None:
    found = machine("cpu")
    assert found["torch"] == torch.__version__
    assert f"CPU, {torch.get_num_threads()} thread" in found["device"]
