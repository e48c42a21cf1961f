"""``python -m training``: what the command says when a training is over, or cannot begin."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("keras")

import click
from click.testing import CliRunner

from export.sentences import Sentences
from training import publish, recipes
from training.__main__ import main


def test_a_training_by_recipe_ends_with_the_path_of_its_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "train", lambda name: Path("runs") / name / "final.keras")
    done = CliRunner().invoke(main, ["train", "stokes-bayes"], catch_exceptions=False)
    assert (done.exit_code, done.output) == (0, f"{Path('runs/stokes-bayes/final.keras')}\n")


def test_publishing_names_each_file(monkeypatch: pytest.MonkeyPatch) -> None:
    written = [Path("models/stokes-bayes.onnx"), Path("models/stokes.onnx")]
    monkeypatch.setattr(publish, "publish", lambda name: written)
    done = CliRunner().invoke(main, ["publish", "stokes-bayes"], catch_exceptions=False)
    assert done.output.splitlines() == [str(path) for path in written]


def test_an_unknown_name_is_refused_in_one_sentence() -> None:
    done = CliRunner().invoke(main, ["train", "stokes-none"])
    assert done.exit_code != 0
    assert "stokes-none" in done.output
    assert "--pairs" in done.output


@pytest.mark.parametrize("words", [["cycles", "none"], ["publish", "stokes-bayes"]])
def test_an_error_of_any_command_ends_in_one_sentence(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert len(done.output.splitlines()) == 1
    assert "has not come to its end" in done.output or "no network called" in done.output


def test_examples_stand_on_lines_of_their_own() -> None:
    shown = CliRunner().invoke(main, ["train", "--help"]).output
    assert "\n    python -m training train mine --pairs observation.fits\n" in shown


def test_options_of_pairs_are_refused_without_pairs() -> None:
    done = CliRunner().invoke(main, ["train", "stokes-bayes", "--steps", "500", "--partner", "b.fits"])
    assert done.exit_code != 0
    assert "--partner, --steps goes with --pairs only" in done.output


@pytest.mark.parametrize(("library", "extra"), [("keras.layers", "export"), ("matplotlib", "evaluate")])
def test_a_library_that_is_not_there_is_named_with_its_extra(library: str, extra: str) -> None:
    @click.group(cls=Sentences)
    def group() -> None:
        pass

    @group.command()
    def command() -> None:
        raise ModuleNotFoundError(f"No module named {library!r}", name=library)

    done = CliRunner().invoke(group, ["command"])
    assert done.exit_code == 1
    name = library.partition(".")[0]
    assert done.output == f"Error: {name} is not installed, which this command needs: pip install -e '.[{extra}]'\n"
