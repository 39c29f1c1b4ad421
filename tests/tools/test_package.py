"""The package: what the wheel holds, that it works alone, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from toybook import ROOT, missing

from tools.build import bundle, config
from tools.common import version
from tools.trials import colab


def run(source: str, folder: Path, *paths: Path) -> str:
    """What a fresh Python prints, in an empty folder, with nothing but `paths` added."""
    program = f"import sys; sys.path[:0] = {[str(path) for path in paths]}\n{source}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle.wheel(tmp_path_factory.mktemp("wheel"))


def test_wheel_holds_module_sample_and_records(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "resnet").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    records = [path for path in (ROOT / "results").rglob("*") if path.is_file()]  # and weights
    wanted |= {f"resnet/{path.relative_to(ROOT).as_posix()}" for path in records}
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == wanted
    assert {name.rpartition("/")[2] for name in about} >= {"METADATA", "LICENSE", "LICENSE-TEXT"}
    assert wheel.stat().st_size < 4_500_000  # what Colab downloads


def test_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    """Unpacked, as pip does, far from the checkout: sample, a step of training, the records."""
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    zipfile.ZipFile(wheel).extractall(installed)
    empty.mkdir()
    source = """
import resnet
print(resnet.__file__)
data = resnet.load_data("fashion-mnist", sample=True)
recipe = resnet.Recipe(steps=2, batch_size=8, lr=0.1)
run = resnet.fit(resnet.cifar_resnet(8, 10, 1), data, recipe, device="cpu", progress=False)
print(len(run.rows), len(resnet.recorded("hand-signs-*.json")), run.commit)
"""
    where, found = run(source, empty, installed).splitlines()
    assert Path(where).parent.parent == installed
    assert found == f"1 {len(list((ROOT / 'results').glob('hand-signs-*.json')))} unknown"
    assert not list(empty.iterdir())


def test_version_is_that_of_the_project() -> None:
    import resnet

    assert resnet.__version__ == version()


def test_import_brings_in_little_beside_torch(tmp_path: Path) -> None:
    """What is slow and not always needed comes in where it is used."""
    source = "import sys, resnet; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = run(source, tmp_path, ROOT).split()
    assert "torch" in loaded
    heavy = {"d2l", "h5py", "IPython", "matplotlib", "pandas", "scipy", "sklearn", "torchvision"}
    assert not heavy & set(loaded)


def test_notebook_alone_installs_the_book_and_changes_nothing_else(tmp_path: Path) -> None:
    """As `make colab` tries all of notebooks.zip: an environment without the book, an empty folder.

    The other packages are those of these tests, lent to the new environment.
    """
    site = next(path for path in map(Path, sys.path) if (path / "torch").is_dir())
    lent = tmp_path / "lent"
    lent.mkdir()
    for path in site.iterdir():
        if not path.name.startswith(("resnet", "_editable")):
            (lent / path.name).symlink_to(path)
    command = [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")]
    subprocess.run(command, check=True)
    inside = next((tmp_path / "env" / "lib").glob("python*/site-packages"))
    (inside / "lent.pth").write_text(f"{lent}\n")
    if not colab.ARCHIVE.is_file():
        missing("no site in _build/html (`make book` builds it)")
    every, wheel = colab.unpacked(tmp_path)
    assert [path.stem for path in every] == [path.stem for path in config.notebooks()]
    chapter = next(path for path in every if path.stem == "deviations")
    assert colab.try_chapter(tmp_path / "env" / "bin" / "python", chapter, wheel) > 0
