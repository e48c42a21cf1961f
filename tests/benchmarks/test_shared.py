"""What all benchmarks share: times taken in turns, whole processes, tables."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click
import pytest

from benchmarks import process
from benchmarks.machine import describe, sentence
from benchmarks.tables import PAGE, RESULTS, TRIALS, Report, Table, folder, put_into_page
from benchmarks.timing import Paired, Spread, paired


def test_candidates_take_turns() -> None:
    calls: list[str] = []
    found = paired({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, seconds=0, least=2, most=9)
    assert "".join(calls) == "ab" + "ab" + "ba"  # the first two are the warm-up
    assert found.rounds == 2


def test_time_ends_the_rounds() -> None:
    found = paired({"wait": lambda: time.sleep(0.02)}, seconds=0.05, least=1, most=1000)
    assert 1 <= found.rounds <= 4
    assert found.spread("wait").median >= 0.02


def test_ratios_are_taken_round_by_round() -> None:
    found = Paired({"a": [2.0, 20.0, 4.0], "b": [1.0, 10.0, 1.0]})
    assert found.ratio("a", "b") == Spread(2.0, 2.0, 3.0)
    assert Spread(2.0, 1.0, 4.0).inverse(8) == Spread(4.0, 2.0, 8.0)
    assert str(Spread(1.2345, 1, 2)) == "1.23 (1–2)"


def test_a_process_is_measured_without_the_one_that_started_it() -> None:
    ballast = bytearray(200_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    small = process.python("print('said')")
    large = process.python("x = bytearray(150_000_000); x[::4096] = b'x' * len(x[::4096])")
    assert small.said == "said\n"
    assert small.peak < 100e6
    assert 140e6 < large.peak - small.peak < 170e6
    assert 0 < small.cpu < 10 * small.seconds


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(click.ClickException, match="no good"):
        process.measure([sys.executable, "-c", "raise SystemExit('no good')"])


def test_tables_are_written_for_people_and_programs(tmp_path: Path) -> None:
    table = Table("Speed", ("way", "Mpx/s"), [("quick", 2.0), ("slow", Spread(1, 0.5, 2))], "As expected.")
    report = Report("speed", "python -m benchmarks speed", [table], {"speed": [1, 2]})
    report.write(tmp_path)
    text = (tmp_path / "speed.md").read_text()
    assert "| quick | 2 |" in text
    assert "| slow | 1 (0.5–2) |" in text
    values = json.loads((tmp_path / "speed.json").read_text())
    assert values["speed"] == [1, 2]
    assert values["machine"]["cpus"] >= 1


def test_a_table_takes_its_place_in_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- begin speed -->\nold\n<!-- end speed -->\nafter\n")
    put_into_page("speed", "new\n", page)
    put_into_page("other", "not there\n", page)
    assert page.read_text() == "before\n<!-- begin speed -->\nnew\n<!-- end speed -->\nafter\n"


def test_every_benchmark_has_a_place_in_the_page() -> None:
    page = (Path(__file__).parents[2] / PAGE).read_text()
    for name in ("runtime", "cli", "scaling", "uncertainty", "quality", "precision", "gpu"):
        assert page.count(f"<!-- begin {name} -->\n") == page.count(f"<!-- end {name} -->") == 1


def test_trials_do_not_replace_results() -> None:
    assert folder(None, quick=True) == TRIALS
    assert folder(None, quick=False) == RESULTS
    assert folder(Path("x"), quick=False) == Path("x")


def test_the_machine_is_described() -> None:
    found = describe()
    assert str(found["cpus"]) in sentence(found)
    assert "numpy" in sentence(found)
