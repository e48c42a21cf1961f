"""The documentation builds without a warning, and says all that there is to say."""

import dataclasses
import html
import re
import subprocess
import sys

import click
import pytest

import solardn
from solardn.card import Card
from solardn.cli import main
from solardn.commands.report import DENOISE_KEYS, INFO_KEYS, UNCERTAINTY_KEYS

from .pages import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return folder


def read(path):
    return html.unescape(path.read_text())


def options(command):
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield from parameter.opts
    for below in getattr(command, "commands", {}).values():
        yield from options(below)


@pytest.mark.slow
def test_every_command_and_option_is_in_the_reference(site):
    page = read(site / "reference" / "commands.html")
    assert all(f"solardn {name}" in page for name in main.commands)
    missing = [option for option in options(main) if option not in page]
    assert not missing


@pytest.mark.slow
@pytest.mark.parametrize("keys", [INFO_KEYS, DENOISE_KEYS, UNCERTAINTY_KEYS], ids=["info", "denoise", "uncertainty"])
def test_every_json_key_is_in_the_reference(site, keys):
    page = read(site / "reference" / "commands.html")
    assert [key for key, meaning in keys.items() if not re.search(rf"{key} +{re.escape(meaning)}", page)] == []


@pytest.mark.slow
def test_every_public_name_is_in_the_reference(site):
    page = read(site / "reference" / "python.html")
    assert [name for name in solardn.__all__ if f'id="solardn.{name}"' not in page and f'id="solardn.errors.{name}"' not in page] == ["__version__"]  # fmt: skip


@pytest.mark.slow
def test_the_list_of_modules_is_whole(site):
    page = read(site / "architecture.html")
    modules = [path.name for path in (ROOT / "solardn").rglob("*.py") if path.stat().st_size]
    assert [name for name in modules if name not in page] == []


def test_every_key_of_the_card_is_documented():
    page = (ROOT / "docs" / "reference" / "card.md").read_text()
    assert [field.name for field in dataclasses.fields(Card) if f"`{field.name}`" not in page] == []
