"""nbval over the chapters, and the share of the processor that each worker gets."""

import os

import pytest

from tools.common import cores


def pytest_configure(config: pytest.Config) -> None:
    """Divide the cores: workers that each use all of them slow one another down several times."""
    if workers := getattr(config.option, "numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // workers)))


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Leave stderr out of nbval's comparison: it holds progress bars."""
    if type(collector).__name__ == "IPyNbFile":
        collector.skip_compare += ("stderr",)
