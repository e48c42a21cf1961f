"""What the documentation tells to type can be typed, in the order in which it stands on a page."""

import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from solardn import model
from solardn.cli import main

from . import samples
from .pages import PAGES, ROOT, examples

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
IDS = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    samples.write(folder)
    return folder


@pytest.fixture
def folder(originals, tmp_path, monkeypatch):
    """Go to a folder with all files that the pages name; small networks stand in for those that ship."""
    networks = samples.bundled(tmp_path / "networks-that-ship")
    monkeypatch.setattr(model, "bundled_folder", lambda: networks)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SOLARDN_MODELS", raising=False)
    place = tmp_path / "work"
    subprocess.run(["cp", "-r", originals, place], check=True)
    monkeypatch.chdir(place)
    return place


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_the_examples_of_a_page_run_in_their_order(page, folder):
    names = {}
    for example in examples(page):
        if example.kind == "python":
            exec(compile(example.text, page.name, "exec"), names)
        elif example.kind == "sh" and example.words[0] == "solardn":
            words = list(example.words[1:])
            if ">" in words:
                words = words[: words.index(">")]
            result = CliRunner().invoke(main, words)
            assert result.exit_code == 0, f"{example.text}\n{result.output}"


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_of_development_are_understood(page):
    for example in examples(page):
        words = list(example.words)
        if words[:2] == ["python", "-m"] and words[2] in ("export", "training", "benchmarks"):
            parse(import_module(f"{words[2]}.__main__").main, words[3:])


def parse(command, words):
    """Let click understand a command line without running it."""
    try:
        context = command.make_context(command.name, words)
        if isinstance(command, click.Group):
            _, below, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            parse(below, rest)
    except click.UsageError as error:
        pytest.fail(f"{' '.join(words)}: {error.message}")


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_extras_that_a_page_installs_exist(page):
    for named in re.findall(r"(?:\.|solardn)\[([\w,]+)\]", page.read_text()):
        assert set(named.split(",")) <= set(EXTRAS)


@pytest.mark.slow
def test_the_makefile_makes_each_frame_once(folder):
    (rule,) = (e.text for e in examples(ROOT / "docs/pipelines/folder.md") if e.kind == "make")
    Path("Makefile").write_text(rule)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}

    def make():
        ran = subprocess.run(["make", "all"], env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.count("solardn denoise")

    assert make() == 3
    assert {path.name for path in Path("checked").iterdir()} == {"f0.json", "f1.json", "f2.json"}
    assert make() == 0
    Path("frames/f1.fits").touch()
    assert make() == 1
