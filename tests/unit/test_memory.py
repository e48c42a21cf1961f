"""Budgets: how they are written, what fits into them, and that the process keeps to them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from solardn import memory, model
from solardn.errors import OptionError
from tests import networks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2GB", 2_000_000_000),
        ("512MiB", 512 * 2**20),
        (" 1.5 G ", 1_500_000_000),
        ("64kb", 64_000),
        ("1TiB", 2**40),
        ("1000000", 1_000_000),
        (123456, 123456),
        ("0", 0),
    ],
)
def test_amounts_are_read(text: int | str, expected: int) -> None:
    assert memory.parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "lots", "-2GB", "2XB", "GB", "2iB", "1e9", "nan", -5, True])
def test_nonsense_is_refused(text: int | str) -> None:
    with pytest.raises(OptionError, match="give an amount such as '2GB'"):
        memory.parse_bytes(text)


def test_the_cost_of_a_network_follows_from_its_graph(tmp_path: Path) -> None:
    # The widest moment of this U-Net: 8 channels kept for the skip, 16 at half size up-sampled to 16 at full size.
    path = networks.unet(tmp_path / "net.onnx", (8, 16))
    assert memory.demand(model.load(path)).bytes() == pytest.approx(4 * 2.5 * (8 + 16 + 16 / 4), rel=0.3)
    wider = networks.unet(tmp_path / "wide.onnx", (16, 32), up="transpose")
    assert memory.demand(model.load(wider)).bytes() > 1.5 * memory.demand(model.load(path)).bytes()


def test_tiles_fill_the_budget(tmp_path: Path) -> None:
    card = model.load(networks.pooled(tmp_path / "net.onnx")).card
    found = memory.share(100_000_000, 1000.0, card, runs=4)
    tile = found.tile
    assert found.runs == 4
    assert tile % card.multiple == 0
    assert (tile + 8) ** 2 * 1000 * 4 <= 100_000_000 < (tile + 8 + 4) ** 2 * 1000 * 4


def test_many_runs_give_way_when_their_tiles_would_be_mostly_margin(tmp_path: Path) -> None:
    card = model.load(networks.blur(tmp_path / "net.onnx", halo=100)).card
    assert memory.share(300_000_000, 1000.0, card, runs=64).runs < 8


def test_too_small_a_budget_names_the_least_that_works(tmp_path: Path) -> None:
    card = model.load(networks.blur(tmp_path / "net.onnx", halo=50)).card
    with pytest.raises(OptionError, match=r"1 MB of memory do not suffice.*'net'; the least that works is 11MB"):
        memory.share(1_000_000, 1000.0, card, runs=1)
    assert memory.share(11_000_000, 1000.0, card, runs=1).tile >= 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_a_process_keeps_to_its_budget(tmp_path: Path) -> None:
    path = networks.unet(tmp_path / "net.onnx", (32, 64))
    program = f"""
import numpy as np, re, sys
from solardn import Denoiser
denoiser = Denoiser({str(path)!r}, device="cpu", threads=2, memory="100MB")
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
plane = np.random.default_rng(0).normal(size=(600, 600)).astype(np.float32)
denoiser.denoise_map(plane[:64, :64], 1.0)
before = peak()
denoiser.denoise_map(plane, 1.0)
print(peak() - before)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    copies_of_the_map = 5 * 600 * 600 * 4
    assert 20_000_000 < int(run.stdout) < 100_000_000 + copies_of_the_map
