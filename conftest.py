"""nbval over the chapters: stderr holds progress bars and is not compared."""

import pytest


def pytest_collectstart(collector: pytest.Collector) -> None:
    if type(collector).__name__ == "IPyNbFile":
        collector.skip_compare += ("stderr",)
