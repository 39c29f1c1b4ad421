"""The chapters that use a GPU, under the full profile on a simulated one, with little data.

The others name the processor wherever they train, because their networks are small; which ones use
a GPU is read from their cells.
"""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

import cells
import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
from simulated_gpu import SimulatedGpu
from toybook import ROOT

import resnet

USE_A_GPU = ["03-resnet-18", "d2l-and-keras", "speed"]
GO_TO_A_GPU = ("resnet.fit", "resnet.evaluate", "pick_device")  # where no device is named
D2L = {"epochs": 2, "batch_size": 8, "image_size": 32}  # its loop plots five times an epoch


@pytest.mark.filterwarnings("ignore:This DataLoader will create|'pin_memory' argument")
@pytest.mark.parametrize("used", USE_A_GPU)
def test_chapter(used: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_PROFILE", "full")
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")
    torch.set_num_threads(1)
    load, fit, loader = resnet.load_data, resnet.fit, torch.utils.data.DataLoader

    def few(name: str, **options: Any) -> Any:
        data = load(name, **options | {"sample": name == "fashion-mnist"})
        return data.first(train=128 if used == "speed" else 48, test=20)

    def short(model: Any, data: Any, recipe: resnet.Recipe, **options: Any) -> resnet.Run:
        recipe = dataclasses.replace(
            recipe, epochs=2, steps=None, batch_size=16, milestones=(), warm_up=None,
            image_size=recipe.image_size and min(64, recipe.image_size),
        )  # fmt: skip
        run = fit(model, data, recipe, **options)
        assert run.machine["device"] == "simulated GPU"
        return run

    monkeypatch.setattr(resnet, "load_data", few)
    monkeypatch.setattr(resnet, "fit", short)
    monkeypatch.setattr(resnet, "D2L", dataclasses.replace(resnet.D2L, **D2L))
    monkeypatch.setattr(
        torch.utils.data, "DataLoader", lambda *a, **o: loader(*a, **o | {"num_workers": 0})
    )
    names: dict[str, object] = {"__name__": "__main__"}
    with SimulatedGpu():
        # bfloat16 takes minutes on a processor that has none
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
        for cell in nbformat.read(ROOT / "chapters" / f"{used}.ipynb", as_version=4).cells:
            if cell.cell_type == "code":
                cells.run(cell.source, names)


def test_the_other_chapters_name_the_processor() -> None:
    """Every training and every test in them; what does neither stays where it is made."""
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        calls = [
            node
            for cell in cells
            for node in ast.walk(ast.parse(cell.source))
            if isinstance(node, ast.Call) and ast.unparse(node.func) in GO_TO_A_GPU
        ]
        on_cpu = all(
            any(k.arg == "device" and ast.unparse(k.value) == "'cpu'" for k in call.keywords)
            for call in calls
        )
        assert on_cpu == (path.stem not in USE_A_GPU), path.stem
