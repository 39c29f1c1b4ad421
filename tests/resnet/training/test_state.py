"""The clock of a training, over interruptions."""

from __future__ import annotations

import pytest
import torch

from resnet.training import state
from resnet.training.state import State

CPU = torch.device("cpu")


def test_seconds_go_on_where_they_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven seconds, an interruption, three more: ten in the row, and none left for the next."""
    now = [100.0]
    monkeypatch.setattr(state.time, "perf_counter", lambda: now[0])
    first = State(0, CPU)
    first.start_clock()
    now[0] += 7
    first.stop_clock()
    saved = first.state_dict()
    now[0] += 1000  # nothing runs
    second = State(0, CPU)
    second.load_state_dict(saved)
    second.start_clock()
    now[0] += 3
    second.count(torch.tensor(1.0), torch.zeros(2, 3), torch.zeros(2, dtype=torch.long))
    assert second.end_row()[1] == pytest.approx(10)
    second.start_clock()
    now[0] += 2
    second.stop_clock()
    assert second.seconds == pytest.approx(2)
