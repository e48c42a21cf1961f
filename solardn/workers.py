"""Work on many items in several threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def run_all(work: Callable[[T], None], items: Sequence[T], workers: int) -> None:
    """Call a function on every item, in several threads when there are several workers; after an error no more are begun."""
    if workers == 1 or len(items) == 1:
        for item in items:
            work(item)
        return
    with ThreadPoolExecutor(min(workers, len(items)), "solardn") as pool:
        try:
            for future in [pool.submit(work, item) for item in items]:
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def in_order(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    """Yield what a function makes of each item, in their order; no more than a worker's share of results waits to be taken."""
    if workers == 1 or len(items) == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(min(workers, len(items)), "solardn") as pool:
        try:
            pending: deque[Future[R]] = deque()
            for item in items:
                if len(pending) > workers:
                    yield pending.popleft().result()
                pending.append(pool.submit(work, item))
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
