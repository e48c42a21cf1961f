"""The network for the noise level as it is trained, and as it is evaluated."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("tensorflow", reason="tensorflow, with which networks are trained, is not installed")

from solardn import noisenet, weighing
from solardn.noisenet import tell
from solardn.tokens import tokens
from training import noiseexamples, noiselevel, noiseweighing
from training.__main__ import main
from training.noiseexamples import Examples, example

TRUTHS = np.zeros((1, 256, 256), np.float32)


def test_numpy_gives_what_keras_gives() -> None:
    network = noiselevel.build(48)
    for variable in network.trainable_variables:
        if variable.path.endswith("bias"):
            variable.assign(0.1 * np.random.default_rng(1).standard_normal(variable.shape))
    valid = np.ones((100, 140), bool)
    valid[:40, :50] = False
    seen = tokens(np.random.default_rng(0).standard_normal(valid.shape), valid)
    assert seen is not None
    assert not seen.used.all()
    windows, whole = network((seen.features[None], seen.used[None, ..., None].astype(np.float32)))
    told = tell(seen, noiselevel.weights_of(network))
    np.testing.assert_allclose(told.error, np.exp(np.asarray(whole)[0, 1]), rtol=1e-3)
    np.testing.assert_allclose(told.coarse, np.exp(seen.unit + np.asarray(windows)[0, ..., 0]), rtol=1e-3)


def test_examples_are_the_same_every_time_and_have_noise_of_rms_1() -> None:
    for seed in range(6):
        field, sigma, snr = example(np.random.default_rng(seed), TRUTHS)
        again, *_ = example(np.random.default_rng(seed), TRUTHS)
        np.testing.assert_array_equal(field, again)
        assert np.sqrt(np.mean(field**2)) == pytest.approx(1, rel=0.1)
        assert np.sqrt(np.mean(sigma**2)) == pytest.approx(1, rel=1e-3)
        assert snr >= 0


def test_batches_hold_the_level_of_the_windows_in_them() -> None:
    shape = (8, 15, 15)
    data = Examples(
        np.zeros((*shape, 3), np.float16), np.ones(shape, bool), np.full(shape, 0.5, np.float32), np.zeros(8)
    )
    for (seen, used, level, whole), _ in zip(noiselevel.batches(data, 4, 1), range(5), strict=False):
        assert seen.shape[:3] == used.shape[:3] == level.shape
        np.testing.assert_allclose(whole, 0.5, rtol=1e-5)


def test_the_command_trains_and_puts_weights_where_they_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = {module: module.weights() for module in (noisenet, weighing)}
    monkeypatch.setattr(noiselevel, "BANKS", tmp_path / "banks")
    monkeypatch.setattr(noiselevel, "TRUTHS", 3)
    monkeypatch.setattr(noiseexamples, "CHUNK", 6)
    monkeypatch.setattr(noisenet, "FILE", tmp_path / "noise-level.npz")
    monkeypatch.setattr(noiselevel, "train", partial(noiselevel.train, steps=4, count=3, files=1, out=tmp_path / "run"))
    monkeypatch.setattr(noiselevel, "RUNS", tmp_path)
    monkeypatch.setattr(weighing, "FILE", tmp_path / "weighing.npz")
    monkeypatch.setattr(noiseweighing, "MAPS", 5)
    monkeypatch.setattr(noiseweighing, "BATCH", 2)
    monkeypatch.setattr(noiseweighing, "train", partial(noiseweighing.train, networks=2, epochs=1))
    try:
        said = CliRunner().invoke(main, ["noise-level"], catch_exceptions=False)
    finally:
        noisenet.weights.cache_clear()  # what others read
    assert said.exit_code == 0
    assert "noise-level.npz\n" in said.output
    assert said.output.strip().endswith("weighing.npz")
    with np.load(tmp_path / "weighing.npz") as file:
        for name, one in shipped[weighing].items():
            assert file[name].shape[-1] == one.shape[-1]
            assert np.isfinite(file[name]).all()
    with np.load(tmp_path / "noise-level.npz") as file:
        trained = {name: file[name].astype(np.float32) for name in file.files}
    assert {name: one.shape for name, one in trained.items()} == {
        name: one.shape for name, one in shipped[noisenet].items()
    }
    seen = tokens(np.random.default_rng(0).standard_normal((100, 140)), np.ones((100, 140), bool))
    assert seen is not None
    assert np.isfinite(tell(seen, trained).sigma)
