"""What ``python -m benchmarks runtime`` does with maps that are too large for all ways at once."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import NoReturn

import pytest

from benchmarks import alone, candidates, process, runtime
from benchmarks.timing import Paired, Spread
from solardn.model import load


def test_a_way_runs_in_a_process_of_its_own() -> None:
    found = alone.alone("stokes", "onnxruntime", number=2, side=64, rounds=3)
    assert found is not None
    assert len(found.times) == 3
    assert 20e6 < found.peak < 400e6  # nothing of Keras, PyTorch or OpenVINO


def test_only_the_way_that_is_asked_for_is_made() -> None:
    assert [one.name for one in candidates.candidates(load("stokes"), "solardn")] == ["stokes, solardn"]


def _ended(code: int) -> object:
    def measure(*words: object, **options: object) -> NoReturn:
        raise process.Failed("it ended", code)

    return measure


@pytest.mark.parametrize("code", [-signal.SIGKILL, alone._NO_MEMORY])
def test_a_way_that_ends_for_its_memory_is_told_from_one_that_fails(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(alone, "measure", _ended(code))
    assert alone.alone("stokes", "PyTorch", 8, 2048, 1) is None
    monkeypatch.setattr(alone, "measure", _ended(1))
    with pytest.raises(process.Failed, match="it ended"):
        alone.alone("stokes", "PyTorch", 8, 2048, 1)


def test_tables_say_where_memory_did_not_suffice() -> None:
    cell = runtime.Cell(Paired({"small": [2.0]}), {"small": 3_000_000_000, "large": None})
    found = [SimpleNamespace(name="small"), SimpleNamespace(name="large")]
    assert cell.speed("small", 8.0) == Spread(4.0, 4.0, 4.0)
    assert cell.speed("large", 8.0) == cell.ratio("small", "large") == "out of memory"
    table = runtime._peaks(found, {(2048, 8): cell})  # type: ignore[arg-type]
    assert table.rows == [("small", 3.0), ("large", "more than there is")]


def test_ratios_are_taken_from_ways_that_took_turns_by_themselves_where_they_did() -> None:
    way, unit, _ = runtime._wanted("stokes")[0]
    cell = runtime.Cell(
        Paired({unit: [1.0], way: [2.0]}), pairs={(unit, way): Paired({unit: [1.0, 3.0], way: [1.0, 3.0]})}
    )
    table = runtime._ratios("stokes", {(1000, 1): cell})
    assert table.rows == [(way, unit, Spread(1.0, 1.0, 1.0), "0.97 at 1000²")]
    assert "At 1 × 1000² the two ways took turns by themselves, 2 to 2 times" in table.remark


@pytest.mark.parametrize("said", ["Failed to allocate 25786589184 bytes of memory", "std::bad_alloc"])
def test_a_library_that_finds_no_memory_ends_its_process_in_a_way_of_its_own(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    def fails(*words: object, **options: object) -> NoReturn:
        raise RuntimeError(said)

    monkeypatch.setattr(alone, "paired", fails)
    monkeypatch.setattr(alone.Path, "write_text", lambda self, text: None)
    with pytest.raises(SystemExit) as ended:
        alone._main("stokes", "onnxruntime", 1, 64, 1)
    assert ended.value.code == alone._NO_MEMORY
