"""Where the time goes: stages within stages count once, threads count for themselves."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from solardn.stages import READ, Stages, rows


def test_a_stage_within_another_counts_once() -> None:
    stages = Stages()
    with stages("outer"):
        time.sleep(0.02)
        with stages("inner"):
            time.sleep(0.1)
        with stages("inner"), stages("innermost"):
            time.sleep(0.02)
    assert stages.seconds["inner"] >= 0.1
    assert 0.02 <= stages.seconds["outer"] < stages.seconds["inner"]
    assert stages.seconds["innermost"] >= 0.02


def test_threads_count_for_themselves() -> None:
    stages = Stages()

    def beside() -> None:
        with stages("beside"):
            time.sleep(0.05)

    with ThreadPoolExecutor() as pool, stages("wait"):
        pool.submit(beside).result()
    assert stages.seconds["beside"] >= 0.05
    assert stages.seconds["wait"] >= 0.04


def test_what_is_left_is_told() -> None:
    found = rows({"network": 6.0, READ: 3.0}, 10.0)
    assert [(name, seconds) for name, seconds, _ in found] == [("network", 6.0), ("the rest", 4.0), (READ, 3.0)]
    assert sum(part for name, _, part in found if name != READ) == pytest.approx(1)
