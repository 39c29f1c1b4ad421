"""resnet.data.cifar10: the archive, read without unpacking it, on a small one made here."""

from __future__ import annotations

import gc
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from webserver import serving

from resnet import DataError, load_data
from resnet.data import cifar10
from resnet.data.cifar10 import ARCHIVE, TEST, TRAIN

PER_FILE = 3


def content(name: str) -> bytes:
    """Three records: label 0 to 9, then an image of which every pixel tells its place."""
    start = PER_FILE * (*TRAIN, *TEST).index(name)
    records = np.zeros((PER_FILE, 3073), np.uint8)
    for i, record in enumerate(records, start):
        record[0] = i % 10
        record[1:] = (np.arange(3072) + i) % 256
    return records.tobytes()


def pack(path: Path, names: tuple[str, ...] = (*TRAIN, *TEST), extra: str = "") -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name in (*names, *([extra] if extra else [])):
            data = b"bad" if name == extra else content(name)
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def trust(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this archive be the published one."""
    monkeypatch.setattr(cifar10, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())


def test_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path / ARCHIVE)
    trust(tmp_path / ARCHIVE, monkeypatch)
    data = load_data("cifar10", root=tmp_path)
    assert data.train_images.shape == (5 * PER_FILE, 3, 32, 32)
    assert data.test_images.shape == (PER_FILE, 3, 32, 32)
    assert data.train_labels.tolist() == [i % 10 for i in range(15)]
    assert data.test_labels.tolist() == [5, 6, 7]
    # channel by channel, row by row (the set's own page)
    assert data.train_images[2, 1, 4, 5] == (1024 + 4 * 32 + 5 + 2) % 256
    assert data.train_images.dtype == torch.uint8 and data.train_labels.dtype == torch.int64
    assert data.classes[:2] == ("airplane", "automobile") and len(data.classes) == 10
    assert (data.name, data.canonical, data.sample) == ("CIFAR-10", True, False)


def test_nothing_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that climbs out of the folder has nowhere to go."""
    place = tmp_path / "place"
    place.mkdir()
    pack(place / ARCHIVE, extra="../escaped.bin")
    trust(place / ARCHIVE, monkeypatch)
    load_data("cifar10", root=place)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [ARCHIVE]


def test_digest_is_checked_before_the_archive_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(tmp_path / ARCHIVE)
    monkeypatch.setattr(tarfile, "open", lambda *_: pytest.fail("opened"))
    with pytest.raises(DataError, match=r"is damaged: \d+ bytes with SHA-256 .*expected c4a38c50"):
        load_data("cifar10", root=tmp_path)


def test_member_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path / ARCHIVE, names=TRAIN)
    trust(tmp_path / ARCHIVE, monkeypatch)
    with pytest.raises(DataError, match=f"{ARCHIVE} cannot be read .*test_batch.bin"):
        load_data("cifar10", root=tmp_path)


def test_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive arrives whole; the second call asks nobody."""
    served, place = tmp_path / "served", tmp_path / "place"
    served.mkdir()
    pack(served / ARCHIVE)
    trust(served / ARCHIVE, monkeypatch)
    monkeypatch.setenv("no_proxy", "*")
    with serving(served) as address:
        monkeypatch.setattr(cifar10, "URL", address + ARCHIVE)
        data = load_data("cifar10", root=place)
    assert [p.name for p in place.iterdir()] == [ARCHIVE]
    assert load_data("cifar10", root=place).digest == data.digest


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # urllib's, after a 404
@pytest.mark.parametrize(
    ("there", "why"), [(True, "is damaged"), (False, "could not be downloaded.*Connect.*put cifar")]
)
def test_failed_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool, why: str
) -> None:
    """What is not the published archive is not kept."""
    served, place = tmp_path / "served", tmp_path / "place"
    served.mkdir()
    if there:
        pack(served / ARCHIVE)
    monkeypatch.setenv("no_proxy", "*")
    with serving(served) as address, pytest.raises(DataError, match=why) as error:
        monkeypatch.setattr(cifar10, "URL", address + ARCHIVE)
        load_data("cifar10", root=place)
    assert list(place.iterdir()) == []
    del error
    gc.collect()  # so that the warning comes here
