"""Work in several threads ends as it would in one, and soon after an error."""

from __future__ import annotations

import threading
import time

import pytest

from solardn.workers import in_order, run_all


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    def late_if_early(number: int) -> int:
        time.sleep(0.002 * (number % 3 == 0))
        return 10 * number

    assert list(in_order(late_if_early, range(20), workers)) == list(range(0, 200, 10))


def test_results_that_nobody_takes_do_not_pile_up() -> None:
    begun: list[int] = []
    results = in_order(lambda number: begun.append(number), range(1000), workers=2)
    next(results)
    time.sleep(0.02)
    assert len(begun) <= 3
    results.close()
    assert len(begun) <= 3


def test_after_an_error_no_more_tiles_are_begun() -> None:
    begun = []
    first = threading.Event()

    def failing(number: int) -> None:
        begun.append(number)
        if number == 0:
            first.set()
            raise RuntimeError("stop")
        first.wait()
        time.sleep(0.01)  # a thousand of these last longer than any scheduler leaves the error unheard

    with pytest.raises(RuntimeError, match="stop"):
        run_all(failing, range(1000), workers=2)
    assert len(begun) < 1000
