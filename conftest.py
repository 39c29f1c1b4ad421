"""nbval over the chapters, and what the processes that tests start inherit."""

import os
import signal
from pathlib import Path

import pytest

from tools.common import cores

MODULE = Path(__file__).parent / "tests" / "resnet"  # short tests


def pytest_configure(config: pytest.Config) -> None:
    """Divide the cores, and let Ctrl-C through to what the tests start.

    Workers that each use all cores slow one another down several times. A shell starts a job in the
    background with Ctrl-C ignored, and its children inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if workers := getattr(config.option, "numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // workers)))


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Leave stderr out of nbval's comparison: it holds progress bars."""
    if type(collector).__name__ == "IPyNbFile":
        collector.skip_compare += ("stderr",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that several workers end together; say why cells are left out.

    tests/site/test_chapters.py proves that the build has run what nbval leaves out.
    """
    items.sort(key=lambda item: MODULE in item.path.parents)
    for item in items:
        if getattr(item, "options", {}).get("skip"):
            item.add_marker(pytest.mark.skip(reason="trains or shows a training: run by make book"))
