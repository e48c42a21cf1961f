"""Where the time of a run went: told stage by stage, and drawn beside the output."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from solardn.commands import profile


def test_stages_are_told_and_drawn(solardn, crisp, tmp_path):
    pytest.importorskip("matplotlib")
    out = tmp_path / "out.fits"
    said = solardn.good("denoise", crisp, out, "--model", "same", "--profile")
    assert "time by stage" in said
    for stage in ("noise level", "network", "the rest", "reading, in a thread"):
        assert re.search(rf"^    {stage} +\d+\.\d\d s", said, re.MULTILINE)
    parts = [float(part) for part in re.findall(r"s +([\d.]+)%$", said, re.MULTILINE)]
    assert sum(parts) == pytest.approx(100, abs=1)  # what runs in threads beside is marked, and no part of the whole
    picture = tmp_path / "out.fits.profile.png"
    assert f"picture: {picture}" in said
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("words", [("--json",), ("--quiet",)])
def test_it_is_drawn_where_nothing_is_told(solardn, image, tmp_path, words):
    pytest.importorskip("matplotlib")
    said = solardn.good("denoise", image, tmp_path / "a.fits", "--model", "same", "--profile", *words)
    assert "time by stage" not in said
    assert (tmp_path / "a.fits.profile.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_is_not_overwritten_unasked(solardn, image, tmp_path):
    pytest.importorskip("matplotlib")
    out, picture = tmp_path / "out.fits", tmp_path / "out.fits.profile.png"
    picture.write_text("mine")
    assert "out.fits.profile.png" in solardn.bad("denoise", image, out, "--model", "same", "--profile")
    assert not out.exists()
    assert picture.read_text() == "mine"
    solardn.good("denoise", image, out, "--model", "same", "--profile", "--overwrite")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_table_still_comes(solardn, image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(profile, "find_spec", lambda _: None)
    said = solardn.good("denoise", image, tmp_path / "out.fits", "--model", "same", "--profile")
    assert "time by stage" in said
    assert "pip install 'solardn[plot]'" in said
    assert not list(tmp_path.glob("*.png"))


def test_it_follows_one_file_only(solardn, image, tmp_path):
    result = solardn("denoise", image, "--output-dir", tmp_path / "out", "--profile")
    assert result.exit_code == 2
    assert "--profile follows the time of one file" in result.stderr
