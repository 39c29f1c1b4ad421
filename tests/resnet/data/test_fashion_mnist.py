"""Data: the sample, the whole set, and every way in which getting it goes wrong."""

from __future__ import annotations

import contextlib
import gc
import gzip
import hashlib
import os
import pwd
import shutil
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from nobody import unprivileged
from torchvision.datasets import FashionMNIST
from webserver import Mirror, serving

import resnet.data.fashion_mnist
from resnet import DataError, ImageData, load_data
from resnet.data import fashion_mnist
from resnet.data.fashion_mnist import DEBIAN_FOLDER, FILES, SAMPLE, SAMPLE_FOLDER
from tools import make_sample

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


@pytest.fixture(scope="session")
def sample() -> ImageData:
    return load_data("fashion-mnist", sample=True)


@pytest.fixture(scope="session")
def whole() -> ImageData:
    if not (os.environ.get("RESNET_DATA") or DEBIAN_FOLDER.is_dir()):
        pytest.skip("the whole of Fashion-MNIST is not here: no package dataset-fashion-mnist, "
                    "no RESNET_DATA")  # fmt: skip
    return load_data("fashion-mnist")


@pytest.fixture
def small_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with an empty home and no package, on which the whole set is the sample's bytes.

    So the real set is not needed to try what happens to it. Returns the default place of the data.
    """
    monkeypatch.setattr(resnet.data.fashion_mnist, "WHOLE", SAMPLE)
    monkeypatch.setattr(resnet.data.fashion_mnist, "DEBIAN_FOLDER", tmp_path / "debian")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RESNET_DATA", raising=False)
    return tmp_path / ".cache" / "resnet-book"


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test leaves this machine: the only mirror is a port where nobody listens."""
    monkeypatch.setattr(FashionMNIST, "mirrors", [f"http://127.0.0.1:{closed_port()}/"])
    monkeypatch.setenv("no_proxy", "*")


def fill(place: Path, *, unpacked: bool = False) -> Path:
    """Put the sample's files where torchvision keeps the whole set's; return their folder."""
    raw = place / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for file in FILES:
        packed = (SAMPLE_FOLDER / f"{file}.gz").read_bytes()
        (raw / file if unpacked else raw / f"{file}.gz").write_bytes(
            gzip.decompress(packed) if unpacked else packed
        )
    return raw


def files_below(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def check_form(data: ImageData, train: int, test: int) -> None:
    """Counts, types and the ten classes in equal numbers (Xiao et al. 2017)."""
    for images, labels, n in (
        (data.train_images, data.train_labels, train),
        (data.test_images, data.test_labels, test),
    ):
        assert (images.shape, images.dtype) == ((n, 1, 28, 28), torch.uint8)
        assert (labels.shape, labels.dtype) == ((n,), torch.int64)
        assert labels.bincount().tolist() == [n // 10] * 10
    assert data.classes == CLASSES


def test_sample(sample: ImageData) -> None:
    """Issue 2: 2,000 + 1,000 images, balanced, about 1.5 MB, a known digest."""
    check_form(sample, 2000, 1000)
    assert sample.sample
    assert sum(file.stat().st_size for file in SAMPLE_FOLDER.glob("*.gz")) < 2e6
    contents = b"".join(
        tensor.numpy().tobytes()
        for tensor in (
            sample.train_images, sample.train_labels, sample.test_images, sample.test_labels
        )
    )  # fmt: skip
    assert sample.digest == hashlib.sha256(contents).hexdigest()


def test_images_fit_their_labels(sample: ImageData) -> None:
    """Trousers are tall and leave both margins empty; sandals and boots are wider than trousers."""
    images, labels = sample.test_images, sample.test_labels
    margins = torch.cat([images[..., :5], images[..., -5:]], -1).float().mean((1, 2, 3))
    by_class = torch.stack([margins[labels == c].mean() for c in range(10)])
    assert by_class.argmin() == CLASSES.index("Trouser")


def test_describe(sample: ImageData) -> None:
    assert sample.describe() == {
        "name": "Fashion-MNIST",
        "sample": True,
        "canonical": True,
        "train_images": 2000,
        "test_images": 1000,
        "sha256": sample.digest,
    }


def test_digest_sees_one_pixel(sample: ImageData) -> None:
    before = sample.digest
    sample.test_images[7, 0, 3, 3] ^= 1
    after = sample.digest
    sample.test_images[7, 0, 3, 3] ^= 1
    assert before != after


def packed_sample() -> dict[str, bytes]:
    return {file: gzip.decompress((SAMPLE_FOLDER / f"{file}.gz").read_bytes()) for file in FILES}


def test_whole(whole: ImageData) -> None:
    """Xiao et al. 2017: 60,000 + 10,000. The files' bytes are checked by load_data itself."""
    check_form(whole, 60_000, 10_000)
    assert not whole.sample


def test_sample_comes_from_the_whole(whole: ImageData, monkeypatch: pytest.MonkeyPatch) -> None:
    """tools/make_sample.py gives the package's files again, bit for bit."""
    monkeypatch.setattr(make_sample, "load_data", lambda *_a, **_k: whole)
    assert make_sample.make_sample() == packed_sample()


def test_sample_of_the_sample(sample: ImageData, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first 200 and 100 of each class of the sample are the sample: needs no whole set."""
    monkeypatch.setattr(make_sample, "load_data", lambda *_a, **_k: sample)
    assert make_sample.make_sample() == packed_sample()


def test_first_of_each_class() -> None:
    labels = torch.tensor([1, 0, 0, 1, 0, 1, 0])
    assert make_sample.first_of_each_class(labels, 2).tolist() == [0, 1, 2, 3]
    assert make_sample.first_of_each_class(labels, 3).tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["mnist", "Fashion-MNIST", "", None, 3])
def test_unknown_name(name: Any) -> None:
    with pytest.raises(ValueError, match=f"^name={name!r}: expected one of 'fashion-mnist'"):
        load_data(name)


@pytest.mark.parametrize("unpacked", [False, True])
def test_places(
    small_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unpacked: bool
) -> None:
    """root=, else RESNET_DATA, else ~/.cache; packed or not; a ~ is the home folder."""
    for place in (small_world, tmp_path / "named", tmp_path / "variable"):
        fill(place, unpacked=unpacked)
    assert not load_data("fashion-mnist").sample
    shutil.rmtree(small_world)
    assert not load_data("fashion-mnist", root=tmp_path / "named").sample
    assert not load_data("fashion-mnist", root="~/named").sample
    monkeypatch.setenv("RESNET_DATA", "~/variable")
    assert not load_data("fashion-mnist").sample


def test_debian(small_world: Path) -> None:
    """The package's files serve when no place is named, and never when one is."""
    fill(small_world).rename(resnet.data.fashion_mnist.DEBIAN_FOLDER)
    assert not load_data("fashion-mnist").sample
    with pytest.raises(DataError, match="could not be downloaded"):
        load_data("fashion-mnist", root=small_world)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)


def other_content(path: Path) -> None:
    content = b"\0" * 2000
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def hide(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("unpacked", [False, True])
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "damage",
    [cut, flip, other_content, lambda path: path.write_bytes(b""), Path.unlink, hide],
    ids=["cut", "flip", "other", "empty", "missing", "folder"],
)
def test_damage(
    small_world: Path, damage: Callable[[Path], Any], file: str, unpacked: bool
) -> None:
    """One of four files is not whole: the message names it and says to delete the folder."""
    raw = fill(small_world, unpacked=unpacked)
    damage(raw / file if unpacked else raw / f"{file}.gz")
    with pytest.raises(DataError, match=r"(?s)is missing|cannot be read|is damaged") as error:
        load_data("fashion-mnist")
    assert str(error.value).startswith(str(raw / file))
    assert "delete" in str(error.value)


def test_no_more_is_read_than_the_set_has(
    small_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small file that unpacks to a huge one, or one that is huge itself."""
    monkeypatch.setattr(fashion_mnist, "LARGEST", 2_000_000)
    raw = fill(small_world)
    path = raw / f"{FILES[0]}.gz"
    path.write_bytes(gzip.compress(bytes(9_000_000)))
    for unpacked in (False, True):
        if unpacked:
            (raw / FILES[0]).write_bytes(bytes(9_000_000))
        with pytest.raises(DataError, match=r"is damaged: at least 2000001 bytes"):
            load_data("fashion-mnist")


def test_nowhere_to_go(small_world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home, as in a container: what needs none is loaded, the rest is told."""

    def unknown(_: object) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert load_data("digits").train_images.shape[0] == 1618
    assert load_data("fashion-mnist", sample=True).sample
    with pytest.raises(DataError, match=r"^~/\.cache/resnet-book leads nowhere .*RESNET_DATA"):
        load_data("fashion-mnist")
    for name, root in (("folder:~nosuchuser/x", None), ("cifar10", "~nosuchuser/x")):
        with pytest.raises(DataError, match=r"^~nosuchuser/x leads nowhere"):
            load_data(name, root=root)


def test_damaged_sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The sample's digests are compared too."""
    raw = fill(tmp_path)
    flip(raw / f"{FILES[2]}.gz")
    monkeypatch.setattr(resnet.data.fashion_mnist, "SAMPLE_FOLDER", raw)
    with pytest.raises(DataError, match=FILES[2]):
        load_data("fashion-mnist", sample=True)


def test_whole_is_not_the_sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The sample's files in the whole set's place are refused: the digests are the whole set's."""
    fill(tmp_path)
    with pytest.raises(DataError, match="is damaged"):
        load_data("fashion-mnist", root=tmp_path)


class Impolite(Mirror):
    """Hangs up after half of what it promised."""

    def do_GET(self) -> None:
        content = Path(self.translate_path(self.path)).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])


class Resets(Mirror):
    """Tears the connection down in the middle of a file."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "99999")
        self.end_headers()
        self.wfile.write(b"half")
        time.sleep(0.1)  # the reader is at it
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class Waits(Mirror):
    """Lets the reader wait longer than its patience."""

    def do_GET(self) -> None:
        time.sleep(0.6)

    do_HEAD = do_GET


class Gibberish(Mirror):
    """Does not speak HTTP."""

    def do_GET(self) -> None:
        self.wfile.write(b"220 mail.example.org ESMTP\r\n")

    do_HEAD = do_GET


class HangsUp(Mirror):
    """Says nothing at all."""

    def do_GET(self) -> None:
        self.close_connection = True

    do_HEAD = do_GET


@contextlib.contextmanager
def served(
    folder: Path, monkeypatch: pytest.MonkeyPatch, handler: type[Mirror] = Mirror
) -> Iterator[None]:
    """The folder's files on a mirror on this machine, with the checksums of the sample's files."""
    with serving(folder, handler) as address:
        monkeypatch.setattr(FashionMNIST, "mirrors", [address])
        resources = [
            (f"{f}.gz", hashlib.md5((SAMPLE_FOLDER / f"{f}.gz").read_bytes()).hexdigest())
            for f in FILES
        ]
        monkeypatch.setattr(FashionMNIST, "resources", resources)
        yield


@pytest.mark.parametrize("leftover", ["nothing", "empty folders"])
def test_download(
    small_world: Path, monkeypatch: pytest.MonkeyPatch, sample: ImageData, leftover: str
) -> None:
    """All four files arrive; the second call asks nobody."""
    if leftover == "empty folders":  # as torchvision leaves them when its download fails
        (small_world / "FashionMNIST" / "raw").mkdir(parents=True)
    with served(SAMPLE_FOLDER, monkeypatch):
        data = load_data("fashion-mnist")
    assert data.digest == sample.digest
    assert (data.sample, data.canonical) == (False, True)
    assert [path.name for path in small_world.iterdir()] == ["FashionMNIST"]
    monkeypatch.setattr(FashionMNIST, "mirrors", [])
    assert load_data("fashion-mnist").digest == sample.digest


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # urllib's, after a 404
@pytest.mark.parametrize(
    ("handler", "files"),
    [
        (Mirror, "wrong"),
        (Mirror, "none"),
        (Impolite, "right"),
        (Gibberish, "right"),
        (HangsUp, "right"),
        (Resets, "right"),
        (Waits, "right"),
        (None, "right"),
    ],
    ids=["checksum", "not found", "cut off", "no HTTP", "no word", "reset", "wait", "no network"],
)
def test_failed_download(
    small_world: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    handler: type[Mirror] | None,
    files: str,
) -> None:
    """Says what to do, leaves no file behind, and does not pass the sample off as the whole."""
    folder = tmp_path / "served"
    folder.mkdir()
    for file in FILES if files != "none" else ():
        shutil.copy(SAMPLE_FOLDER / f"{file}.gz", folder)
    if files == "wrong":
        other_content(folder / f"{FILES[3]}.gz")  # the last: three good ones came before
    context = served(folder, monkeypatch, handler) if handler else contextlib.nullcontext()
    if handler is Waits:
        monkeypatch.setattr("resnet.data.images.PATIENCE", 0.3)
    with context, pytest.raises(DataError, match="could not be downloaded") as error:
        load_data("fashion-mnist")
    said = str(error.value)
    assert said.startswith("Fashion-MNIST could not be downloaded (")
    assert said.endswith(
        f"). Connect to the internet, or put its four files into {small_world}/FashionMNIST/raw, "
        "or install Debian's package dataset-fashion-mnist, or ask for the small sample with "
        "sample=True"
    )
    assert files_below(small_world) == []
    assert socket.getdefaulttimeout() is None
    del error
    gc.collect()  # so that the warning comes here


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_forbidden_folder(open_folder: Path, mode: int) -> None:
    """Without permission to write, or to look inside: name another folder."""
    place = open_folder / "data"
    place.mkdir()
    place.chmod(mode)
    with unprivileged(), pytest.raises(DataError, match=r"cannot be stored in .*data") as error:
        load_data("fashion-mnist", root=place)
    assert "root=" in str(error.value)
    assert "RESNET_DATA" in str(error.value)
    assert files_below(open_folder) == []


def test_forbidden_file(small_world: Path, open_folder: Path) -> None:
    raw = fill(open_folder)
    (raw / f"{FILES[1]}.gz").chmod(0)
    with unprivileged(), pytest.raises(DataError, match=f"{FILES[1]}.gz cannot be read"):
        load_data("fashion-mnist", root=open_folder)


def test_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(DataError, match=r"cannot be stored in .*file"):
            load_data("fashion-mnist", root=place)


def test_full_disk(small_world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last step fails: nothing is left of what was fetched."""

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    with served(SAMPLE_FOLDER, monkeypatch):
        monkeypatch.setattr(resnet.data.fashion_mnist.os, "replace", full)
        with pytest.raises(DataError, match=r"cannot be stored in .*No space left"):
            load_data("fashion-mnist")
    assert files_below(small_world) == []


def test_another_process_was_quicker(
    small_world: Path, monkeypatch: pytest.MonkeyPatch, sample: ImageData
) -> None:
    """Two processes download at once, as under torchrun: the later one takes what is there."""

    def slow(*_: object) -> None:
        fill(small_world)
        raise OSError("Directory not empty")

    monkeypatch.setattr(resnet.data.fashion_mnist.os, "replace", slow)
    with served(SAMPLE_FOLDER, monkeypatch):
        assert load_data("fashion-mnist").digest == sample.digest


def test_first_images_are_a_sample() -> None:
    whole = load_data("fashion-mnist", sample=True)
    part = whole.first(train=30, test=7)
    assert part.sample and part.describe()["train_images"] == 30
    assert torch.equal(part.train_images, whole.train_images[:30])
    assert torch.equal(part.test_labels, whole.test_labels[:7])
    assert part.digest != whole.digest
    for wanted, told in (({"train": 2001, "test": 1}, "train=2001: the set has 2000"),
                         ({"train": 1, "test": 0}, "test=0")):  # fmt: skip
        with pytest.raises(ValueError, match=told):
            whole.first(**wanted)
