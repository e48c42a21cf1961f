"""The authors' own weights and published output; run where ../shared is present."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solardn.errors import SolardnError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reference(shared: Path) -> Path:
    return shared / "reference"


def test_bayesian_weights_convert_and_verify(reference, tmp_path):
    from export.cards import read_card, save
    from export.convert import convert
    from export.graph import session
    from export.source import open_source
    from export.verify import verify

    weights = reference / "sst_bayes_weights.hdf5"
    model = convert(open_source(weights, "bayes"), "sst-bayes", {})
    card = read_card(model, "sst-bayes")
    assert (card.halo, card.multiple, card.min_size, card.input_sigma) == (26, 4, 4, 2e-3)
    save(model, tmp_path / "sst-bayes.onnx")
    verify(tmp_path / "sst-bayes.onnx", weights)
    example = np.load(reference / "example_sst.npy")
    mean, log_variance = session(model).run(["mean", "log_variance"], {"map": example[None, None]})
    assert np.std(mean[0, 0] - np.load(reference / "prediction_sst.npy")) < 2e-4
    assert -17 < log_variance.min() < log_variance.max() <= -12


def test_published_output_is_reproduced(reference, tmp_path):
    from export.authors import convert_authors, fetch
    from export.graph import session

    try:
        sdist = fetch(tmp_path)
    except SolardnError as error:
        pytest.skip(f"the authors' network cannot be fetched here: {error}")
    model = convert_authors(sdist)
    example, published = (np.load(reference / f"{name}_sst.npy") for name in ("example", "prediction"))
    (mean,) = session(model).run(["mean"], {"map": example[None, None]})
    assert np.abs(mean[0, 0] - published).max() < 1e-7
