"""Whole Keras models: taken when fully convolutional with one channel in, refused by the layer's name otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from solardn.errors import ModelError, OptionError


def _save(path, build, shape=(None, None, 1)):
    import keras

    start = keras.Input(shape)
    keras.Model(start, build(keras.layers, start)).save(path)
    return path


REFUSED = [
    (
        lambda layers, x: layers.Conv2D(1, 3, name="c")(layers.Dense(4, name="head")(x)),
        (None, None, 1),
        "'head' is a Dense",
    ),
    (
        lambda layers, x: layers.GlobalAveragePooling2D(name="all")(x),
        (None, None, 1),
        "'all' is a GlobalAveragePooling2D",
    ),
    (lambda layers, x: layers.Flatten(name="flat")(x), (8, 8, 1), "'flat' is a Flatten"),
    (
        lambda layers, x: layers.UpSampling2D(2, interpolation="bilinear", name="up")(layers.AveragePooling2D(2)(x)),
        (None, None, 1),
        "'up' enlarges by bilinear interpolation",
    ),
    (lambda layers, x: layers.Conv2D(1, 3, padding="same")(x), (64, 64, 1), "fixed size 64×64"),
    (lambda layers, x: layers.Conv2D(1, 3, padding="same")(x), (None, None, 3), "one channel, last"),
    (lambda layers, x: layers.Conv2D(2, 3, padding="same")(x), (None, None, 1), "one channel, last, is needed"),
    (lambda layers, x: [layers.Conv2D(1, 1, name="a")(x), layers.Conv2D(1, 1, name="b")(x)], (None, None, 1), "a, b"),
]


@pytest.mark.parametrize(("build", "shape", "sentence"), REFUSED, ids=[case[2] for case in REFUSED])
def test_refused_by_name(tmp_path, build, shape, sentence):
    from export.source import open_source

    path = _save(tmp_path / "model.keras", build, shape)
    with pytest.raises(ModelError, match=sentence) as caught:
        open_source(path)
    assert str(path) in str(caught.value)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    import keras

    from export.source import open_source

    path = _save(tmp_path / "model.keras", lambda layers, x: layers.Conv2D(1, 3, name="c")(x))
    diverged = keras.models.load_model(path)
    diverged.get_layer("c").set_weights([np.full((3, 3, 1, 1), np.nan), np.zeros(1)])
    diverged.save(path)
    with pytest.raises(ModelError, match="'c' has weights that are not finite"):
        open_source(path)


def test_operators_between_layers_are_kept(tmp_path):
    import keras

    from export.convert import convert
    from export.source import open_source
    from export.verify import TOLERANCE, compare

    path = _save(tmp_path / "model.keras", lambda layers, x: x - keras.ops.relu(layers.Conv2D(1, 3, padding="same")(x)))
    source = open_source(path)
    model = convert(source, "residual", {"input_sigma": 1.0})
    assert max(one.difference for one in compare(model, source)) <= TOLERANCE


def test_unreadable_models(tmp_path):
    from export.source import open_source

    with pytest.raises(ModelError, match="does not exist"):
        open_source(tmp_path / "none.keras")
    (tmp_path / "text.keras").write_text("hello")
    with pytest.raises(ModelError, match="cannot be opened as a Keras model"):
        open_source(tmp_path / "text.keras")
    path = _save(tmp_path / "good.keras", lambda layers, x: layers.Conv2D(1, 3)(x))
    with pytest.raises(OptionError, match="'no_such_module' cannot be imported"):
        open_source(path, modules=("no_such_module",))


def test_mixed_precision_becomes_float32(tmp_path):
    import keras

    from export.source import open_source

    start = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(4, 3, padding="same", dtype="mixed_bfloat16", activation="relu")(start)
    keras.Model(start, keras.layers.Conv2D(1, 1)(x)).save(tmp_path / "mixed.keras")
    source = open_source(tmp_path / "mixed.keras")
    assert {layer.compute_dtype for layer in source.model.layers} == {"float32"}


def test_origin_and_outputs(own_source):
    assert own_source.outputs == ("mean", "log_variance")
    assert own_source.origin["file"] == "own.keras"
    assert len(own_source.origin["sha256"]) == 64
    assert own_source.model(np.zeros((1, 8, 8, 1)))[0].shape == (1, 8, 8, 1)
