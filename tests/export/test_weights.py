"""The strict reader takes both layouts, and names every layer it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from solardn.errors import ModelError, OptionError

h5py = pytest.importorskip("h5py", reason="the extra 'export' is not installed")


def test_both_layouts_are_read(write_legacy, own_network, tmp_path):
    from export.weights import read_weights

    bare = read_weights(write_legacy(tmp_path / "bare.hdf5", own_network))
    whole = read_weights(write_legacy(tmp_path / "whole.hdf5", own_network, whole=True))
    assert bare.keys() == whole.keys() == {layer.name for layer in own_network.layers if layer.weights}
    for layer in own_network.layers:
        for weight in layer.weights:
            assert np.array_equal(bare[layer.name][weight.name], np.asarray(weight))


def test_weights_arrive_in_the_layers(write_legacy, own_network, tmp_path):
    import keras

    from export.weights import load_weights

    path = write_legacy(tmp_path / "own.hdf5", own_network)
    other = keras.models.clone_model(own_network)
    load_weights(other, path)
    for ours, theirs in zip(own_network.weights, other.weights, strict=True):
        assert np.array_equal(np.asarray(ours), np.asarray(theirs))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"first": None}, "lacks first"),
        ({"other": {"kernel": np.zeros((1, 1))}}, "has also other"),
        (
            {"first": {"kernel": np.zeros((3, 3, 1, 2)), "bias": np.zeros(3)}},
            "has first as bias 3 kernel 3×3×1×2 where bias 2",
        ),
        ({"first": {"kernel": np.zeros((3, 3, 1, 2))}}, "has first as kernel 3×3×1×2 where bias 2"),
        (
            {"first": {"kernel": np.full((3, 3, 1, 2), np.nan), "bias": np.zeros(2)}},
            "weights in first that are not finite",
        ),
    ],
)
def test_wrong_layers_are_named(write_legacy, tmp_path, changes, sentence):
    import keras

    from export.weights import load_weights

    start = keras.Input((None, None, 1))
    model = keras.Model(start, keras.layers.Conv2D(2, 3, name="first")(start))
    path = write_legacy(tmp_path / "wrong.hdf5", model, changes=changes)
    before = [np.asarray(weight) for weight in model.weights]
    with pytest.raises(ModelError, match=sentence) as caught:
        load_weights(model, path)
    assert str(path) in str(caught.value)
    assert all(np.array_equal(old, np.asarray(new)) for old, new in zip(before, model.weights, strict=True))


def test_files_that_are_no_weights(tmp_path):
    from export.weights import read_weights

    with pytest.raises(ModelError, match="do not exist"):
        read_weights(tmp_path / "none.hdf5")
    (tmp_path / "text.hdf5").write_text("hello")
    with pytest.raises(ModelError, match="cannot be read as HDF5"):
        read_weights(tmp_path / "text.hdf5")
    with h5py.File(tmp_path / "data.hdf5", "w") as file:
        file["data"] = np.zeros(3)
    with pytest.raises(ModelError, match="no legacy Keras weights"):
        read_weights(tmp_path / "data.hdf5")


def test_truncated_weights(bayes_file, tmp_path):
    from export.source import open_source

    cut = tmp_path / "cut.hdf5"
    cut.write_bytes(bayes_file.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="cannot be read as HDF5"):
        open_source(cut, "bayes")


def test_unknown_architecture(bayes_file):
    from export.source import open_source

    with pytest.raises(OptionError, match="'resnet' is not known; take one of unet, bayes"):
        open_source(bayes_file, "resnet")
    with pytest.raises(ModelError, match="conv2d_13 as bias 32"):
        open_source(bayes_file, "unet")
