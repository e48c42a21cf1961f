"""Fixtures that all tests share: tiny networks, and the reference data where it is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from . import networks

# No deadline: what shares the machine with the tests is not known.
settings.register_profile("solardn", deadline=None, max_examples=40)
settings.load_profile("solardn")

ROOT = Path(__file__).parents[1]


@pytest.fixture
def identity_model(tmp_path: Path) -> Path:
    """Return the file of a network that returns what comes in."""
    return networks.identity(tmp_path / "identity.onnx")


@pytest.fixture
def blur_model(tmp_path: Path) -> Path:
    """Return the file of a network that averages over 3×3 pixels (halo 1)."""
    return networks.blur(tmp_path / "blur.onnx")


@pytest.fixture
def pooled_model(tmp_path: Path) -> Path:
    """Return the file of a network that works on blocks of 4×4 pixels (halo 4, multiple 4, smallest map 8)."""
    return networks.pooled(tmp_path / "pooled.onnx")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of the authors' data and of real observations, which a clone of the project does not have."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the reference data (../shared) is not here")
    return folder
