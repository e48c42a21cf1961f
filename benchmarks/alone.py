"""Time one way to run a network in a process of its own, which gives all its memory back: for maps that are too large for all ways at once."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from solardn.errors import lacks_memory

from .candidates import candidates
from .networks import find
from .process import Failed, measure
from .timing import paired

_NO_MEMORY = 3  # exit status


@dataclass(frozen=True)
class Alone:
    """Seconds of each run, the first of all not counted, and the most memory the process held, in bytes."""

    times: list[float]
    peak: int


def alone(network: str, way: str, number: int, side: int, rounds: int) -> Alone | None:
    """Time one way on ``number`` maps of ``side`` × ``side`` pixels; return None where the memory of this machine does not suffice."""
    words = [network, way, str(number), str(side), str(rounds)]
    try:
        done = measure([sys.executable, "-m", "benchmarks.alone", *words], timeout=3600)
    except Failed as failure:
        if failure.code in (_NO_MEMORY, -signal.SIGKILL):
            return None
        raise
    return Alone(json.loads(done.said.splitlines()[-1]), done.peak)


def _main(network: str, way: str, number: int, side: int, rounds: int) -> None:
    score = Path("/proc/self/oom_score_adj")
    if score.exists():  # where memory runs out, Linux ends this process and no other
        score.write_text("1000")
    (candidate,) = candidates(find(network), way)
    try:
        found = paired({way: candidate.on(number, side)}, seconds=0.0, least=rounds)
    except Exception as error:
        if lacks_memory(error):
            sys.exit(_NO_MEMORY)
        raise
    print(json.dumps(found.times[way]))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
