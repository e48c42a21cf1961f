"""Our layers compute what their names say, survive saving, and give the same on both backends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
MAPS = np.arange(2 * 4 * 6 * 3, dtype=np.float32).reshape(2, 4, 6, 3)
BLOCKS = MAPS.reshape(2, 2, 2, 3, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 2, 3, 12)


def test_layers_compute_what_they_say():
    from export.layers import DepthToSpace, MCDropout, NearestUpsample, ReflectionPad, SpaceToDepth

    assert np.array_equal(SpaceToDepth()(MAPS), BLOCKS)
    assert np.array_equal(DepthToSpace()(BLOCKS), MAPS)
    assert np.array_equal(NearestUpsample(3)(MAPS), MAPS.repeat(3, 1).repeat(3, 2))
    assert np.array_equal(ReflectionPad()(MAPS), np.pad(MAPS, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect"))
    assert np.array_equal(MCDropout(0.5)(MAPS), MAPS)


def test_dropout_in_training_drops_elements_or_channels():
    from export.layers import MCDropout

    ones = np.ones((8, 16, 16, 32), np.float32)
    elements = np.asarray(MCDropout(0.2, "element", seed=0)(ones, training=True))
    assert set(np.unique(elements)) == {np.float32(0), np.float32(1 / 0.8)}
    assert abs((elements == 0).mean() - 0.2) < 0.01
    channels = np.asarray(MCDropout(0.2, "channel", seed=0)(ones, training=True))
    assert (channels == channels[:, :1, :1]).all()
    assert 0.1 < (channels == 0).mean() < 0.3


def test_dropout_refuses_nonsense():
    from export.layers import MCDropout

    with pytest.raises(ValueError, match=r"rate 1\.0 is not in"):
        MCDropout(1.0)
    with pytest.raises(ValueError, match="kind 'row' is not known"):
        MCDropout(0.1, "row")


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / "export").is_dir(), reason="no checkout")
def test_backends_agree(own_network, tmp_path):
    pytest.importorskip("torch", reason="torch, the backend of training, is not installed")
    own_network.save(tmp_path / "own.keras")
    maps = np.random.default_rng(0).standard_normal((2, 16, 24, 1)).astype(np.float32)
    np.save(tmp_path / "maps.npy", maps)
    script = (
        "import sys, numpy as np, keras, export.layers\n"
        "folder = sys.argv[1]\n"
        "model = keras.saving.load_model(folder + '/own.keras')\n"
        "assert keras.backend.backend() == 'torch'\n"
        "np.savez(folder + '/torch.npz', *[keras.ops.convert_to_numpy(r) for r in model(np.load(folder + '/maps.npy'))])\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        check=True,
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "torch"},
    )
    with np.load(tmp_path / "torch.npz") as torch_results:
        for ours, theirs in zip(own_network(maps), torch_results.values(), strict=True):
            np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-5)
