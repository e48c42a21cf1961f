"""Every command explains itself, with an example that runs, and quickly."""

import os
import re
import shlex
import subprocess
import sys

import click
import numpy as np
import pytest

from solardn import model
from solardn.cli import main
from solardn.commands.report import DENOISE_KEYS, INFO_KEYS, UNCERTAINTY_KEYS

from .. import networks
from ..docs import samples


def commands(group=main, words=()):
    yield words, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*words, name))


COMMANDS = dict(commands())
EXAMPLE = re.compile(r"^ +solardn( .*)$", re.MULTILINE)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_has_an_example(solardn, words):
    said = solardn.good(*words, "--help")
    assert EXAMPLE.search(said), said
    for parameter in COMMANDS[words].params:
        if isinstance(parameter, click.Option) and not parameter.is_eager:
            assert parameter.help, parameter.name


@pytest.mark.parametrize("words", [words for words in COMMANDS if hasattr(COMMANDS[words], "commands")], ids=" ".join)
def test_lists_of_commands_are_whole_sentences(solardn, words):
    listed = solardn.good(*words, "--help").partition("Commands:")[2]
    assert "..." not in listed


@pytest.mark.parametrize("words", [words for words in COMMANDS if words and words != ("demo",)], ids=" ".join)
def test_the_examples_run(solardn, words, tmp_path, noisy, crisp, monkeypatch):
    """With small networks under the names of those that ship; the demo with what ships is in test_tools.py."""
    shipped = samples.bundled(tmp_path / "networks-that-ship")
    monkeypatch.setattr(model, "bundled_folder", lambda: shipped)
    monkeypatch.chdir(tmp_path)
    crisp.rename(tmp_path / "observation.fits")
    np.save(tmp_path / "map.npy", noisy)
    networks.identity(tmp_path / "network.onnx")
    for example in EXAMPLE.findall(COMMANDS[words].epilog):
        solardn.good(*shlex.split(example))


KEYS = {"info": INFO_KEYS, "denoise": DENOISE_KEYS, "uncertainty": UNCERTAINTY_KEYS}


@pytest.mark.parametrize(("command", "keys"), KEYS.items(), ids=KEYS)
def test_every_json_key_is_in_the_help_and_the_other_way_round(solardn, crisp, tmp_path, command, keys):
    output = [] if command == "info" else [tmp_path / "out.fits"]
    model = "masked" if command == "uncertainty" else "smooth"
    figures = solardn.json(command, crisp, *output, "--model", model)
    assert set(figures) == set(keys)
    said = solardn.good(command, "--help")
    assert all(key in said and meaning in said for key, meaning in keys.items())


def test_help_and_import_load_nothing_heavy():
    script = "import sys, solardn, solardn.cli; print(sorted({'onnxruntime', 'astropy', 'matplotlib', 'rich', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_module_is_the_command():
    ran = subprocess.run([sys.executable, "-m", "solardn", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("solardn, version ")


@pytest.mark.parametrize(
    ("module", "raised"),
    [
        ("click", "raise KeyboardInterrupt"),  # before the command line itself is there
        ("onnxruntime", "raise ImportError('initialization failed') from KeyboardInterrupt()"),  # as it does
    ],
)
def test_ctrl_c_while_libraries_load_is_ctrl_c(tmp_path, image, folder_of_networks, module, raised):
    (tmp_path / f"{module}.py").write_text(raised)
    words = ("denoise", image, tmp_path / "out.fits", "--model", "same", "--device", "cpu")
    ran = subprocess.run(
        [sys.executable, "-m", "solardn", *words],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == "Error: interrupted; nothing is left behind, the input is untouched\n"
    assert ran.returncode == 130
