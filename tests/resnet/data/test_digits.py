"""The digits, SIGNS in files made here, and choosing classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from resnet import DataError, DataMissingError, load_data


def test_digits() -> None:
    """scikit-learn's page on the set: 1,797 images of 8x8 pixels with values from 0 to 16."""
    data = load_data("digits")
    images = torch.cat([data.train_images, data.test_images])
    labels = torch.cat([data.train_labels, data.test_labels])
    bunch = load_digits()
    assert images.shape == (1797, 1, 8, 8) and images.dtype == torch.uint8
    np.testing.assert_allclose(images[:, 0].double().numpy() * 16 / 255, bunch.images, atol=0.04)
    assert labels.tolist() == bunch.target.tolist()
    assert len(data.test_labels) == 179
    assert (data.name, data.sample, data.canonical) == ("scikit-learn's digits", False, True)
    assert set(data.test_labels.tolist()) == set(range(10))


def test_digits_0_to_5() -> None:
    """Issue 3: 1,083 real images with the same six labels as SIGNS."""
    data = load_data("digits").only(range(6))
    assert len(data.train_labels) + len(data.test_labels) == 1083
    assert data.classes == tuple("012345")
    assert "6 of 10 classes" in data.name


def test_only_relabels() -> None:
    whole = load_data("fashion-mnist", sample=True)
    part = whole.only([7, 2])
    assert part.classes == (whole.classes[7], whole.classes[2])
    for old, new in ((7, 0), (2, 1)):
        assert torch.equal(
            part.train_images[part.train_labels == new],
            whole.train_images[whole.train_labels == old],
        )
        assert torch.equal(
            part.test_images[part.test_labels == new],
            whole.test_images[whole.test_labels == old],
        )
    assert len(part.test_labels) == 200
    for wrong in ([], [1, 1], [10], [-1]):
        with pytest.raises(ValueError, match="labels="):
            whole.only(wrong)


def test_only_fashion_mnist_has_a_sample() -> None:
    with pytest.raises(ValueError, match="sample=True: only 'fashion-mnist'"):
        load_data("digits", sample=True)


def write_signs(folder: Path, **changes: Any) -> dict[str, np.ndarray]:
    """The two files in the course's form, with 5 and 3 images."""
    random = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {"list_classes": np.arange(6)}
    for part, n in (("train", 5), ("test", 3)):
        arrays[f"{part}_set_x"] = random.integers(0, 256, (n, 64, 64, 3)).astype(np.uint8)
        arrays[f"{part}_set_y"] = random.integers(0, 6, n)
    arrays |= changes
    for part in ("train", "test"):
        with h5py.File(folder / f"{part}_signs.h5", "w") as file:
            for key in (f"{part}_set_x", f"{part}_set_y", "list_classes"):
                if arrays[key] is not None:
                    file[key] = arrays[key]
    return arrays


@pytest.mark.parametrize("how", ["root", "variable"])
def test_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    arrays = write_signs(tmp_path)
    monkeypatch.setenv("RESNET_DATA", str(tmp_path if how == "variable" else tmp_path / "no"))
    data = load_data("signs", root=tmp_path if how == "root" else None)
    assert data.train_images.shape == (5, 3, 64, 64)
    assert torch.equal(data.test_images.permute(0, 2, 3, 1), torch.from_numpy(arrays["test_set_x"]))
    assert data.test_labels.tolist() == arrays["test_set_y"].tolist()
    assert data.classes == tuple("012345")
    assert (data.sample, data.canonical) == (False, False)


def test_signs_labels_as_a_row(tmp_path: Path) -> None:
    """Some copies hold the labels as (1, N)."""
    arrays = write_signs(tmp_path, train_set_y=np.array([[0, 1, 2, 3, 5]]))
    data = load_data("signs", root=tmp_path)
    assert data.train_labels.tolist() == arrays["train_set_y"][0].tolist()


def test_signs_missing(tmp_path: Path) -> None:
    with pytest.raises(
        DataMissingError,
        match=r"train_signs\.h5 is missing\. SIGNS comes with a "
        r"course and cannot be downloaded: put train_signs\.h5 and test_signs\.h5 "
        r"into this folder, or name another by root=\.\.\. or the environment "
        r"variable RESNET_DATA$",
    ):
        load_data("signs", root=tmp_path)
    write_signs(tmp_path)
    (tmp_path / "test_signs.h5").unlink()
    with pytest.raises(DataError, match=r"test_signs\.h5 is missing") as caught:
        load_data("signs", root=tmp_path)
    assert not isinstance(caught.value, DataMissingError), "one file of two is no reason to go on"


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("changes", "spoil", "told"),
    [
        ({"train_set_y": None}, None, "cannot be read as SIGNS"),
        ({}, cut_in_half, "cannot be read as SIGNS"),
        ({"train_set_x": np.zeros((5, 64, 64, 3))}, None, "found float64"),
        ({"train_set_x": np.zeros((5, 3, 64, 64), np.uint8)}, None, r"\(5, 3, 64, 64\)"),
        ({"train_set_y": np.arange(4)}, None, r"int64 \(4,\)"),
        ({"train_set_y": np.array([0, 1, 2, 3, 6])}, None, "labels below 6"),
    ],
    ids=["key", "half a file", "floats", "channels first", "too few labels", "label 6"],
)
def test_signs_damaged(
    tmp_path: Path, changes: dict[str, Any], spoil: Callable[[Path], None] | None, told: str
) -> None:
    write_signs(tmp_path, **changes)
    if spoil:
        spoil(tmp_path / "train_signs.h5")
    with pytest.raises(DataError, match=told) as caught:
        load_data("signs", root=tmp_path)
    assert "train_signs.h5" in str(caught.value)
