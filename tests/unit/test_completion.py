"""The Tab key offers what can stand at a place of the command line."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from solardn.cli import main


def offered(*words: str) -> list[tuple[str, str]]:
    items = ShellComplete(main, {}, "solardn", "_SOLARDN_COMPLETE").get_completions(list(words[:-1]), words[-1])
    return [(item.type, item.value) for item in items]


@pytest.mark.parametrize("words", [("denoise",), ("uncertainty",), ("info",), ("inspect", "a.fits"), ("models", "add")])
def test_files_are_offered_where_files_stand(words: tuple[str, ...]) -> None:
    assert offered(*words, "obs") == [("file", "obs")]


@pytest.mark.parametrize("words", [("denoise", "--model"), ("models", "show"), ("models", "verify", "stokes")])
def test_networks_are_offered_by_name_and_as_files(words: tuple[str, ...]) -> None:
    assert offered(*words, "stokes-ba") == [("file", "stokes-ba"), ("plain", "stokes-bayes")]


def test_devices_and_ways_for_noise_are_offered() -> None:
    assert offered("denoise", "--device", "c") == [("plain", "cpu"), ("plain", "cuda")]
    assert offered("denoise", "--noise-map", "o") == [("file", "o"), ("plain", "off")]
