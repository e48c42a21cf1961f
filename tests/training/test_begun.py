"""A training goes on with what it began with, or says what is different."""

from __future__ import annotations

from pathlib import Path

import pytest

from solardn.errors import OptionError
from training.begun import keep, read

RECORD = {"seed": 1, "steps": 400, "files": ("a.npy",)}


def test_a_training_that_goes_on_finds_what_it_began_with(tmp_path: Path) -> None:
    for _ in range(2):
        keep(tmp_path / "mine", RECORD, "go on")
    assert read(tmp_path / "mine") == {"seed": 1, "steps": 400, "files": ["a.npy"]}


def test_a_training_does_not_go_on_with_something_else(tmp_path: Path) -> None:
    keep(tmp_path / "mine", RECORD, "go on")
    with pytest.raises(OptionError, match=r"in .*mine was begun with seed 1, not 2; steps 400, not 800; move it$"):
        keep(tmp_path / "mine", RECORD | {"seed": 2, "steps": 800}, "move it")
    assert read(tmp_path / "mine")["seed"] == 1
