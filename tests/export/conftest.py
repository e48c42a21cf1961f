"""Legacy weight files with random weights, and the networks converted from them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MISSING = [
    name for name in ("tensorflow", "keras", "tf2onnx", "onnx", "h5py") if importlib.util.find_spec(name) is None
]


# TensorFlow's variables do not know numpy 2's copy keyword yet; Keras copies them whenever it saves or shows weights.
FOREIGN = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let that warning pass in this folder only."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(FOREIGN))


@pytest.fixture(scope="session", autouse=True)
def _framework() -> None:
    """Choose TensorFlow before any test imports Keras."""
    if MISSING:
        pytest.skip(f"{', '.join(MISSING)} not installed: pip install 'solardn[export]'")
    from export.framework import prepare

    prepare()


@pytest.fixture(scope="session")
def write_legacy() -> Callable[..., Path]:
    """Return a function that writes weights as Keras 2.1.6 did."""
    import h5py

    def write(path: Path, model: Any, whole: bool = False, changes: Mapping[str, Any] | None = None) -> Path:
        """Write bare weights, or a ``whole`` saved model; ``changes`` replace layers, or leave them out if None."""
        layers = {layer.name: {v.name: np.asarray(v) for v in layer.weights} for layer in model.layers}
        layers = {name: arrays for name, arrays in {**layers, **(changes or {})}.items() if arrays is not None}
        with h5py.File(path, "w") as file:
            root = file.create_group("model_weights") if whole else file
            root.attrs["layer_names"] = [name.encode() for name in layers]
            for name, arrays in layers.items():
                group = root.create_group(name)
                group.attrs["weight_names"] = [f"{name}/{variable}:0".encode() for variable in arrays]
                for variable, array in arrays.items():
                    group[f"{name}/{variable}:0"] = array
        return path

    return write


@pytest.fixture(scope="session")
def own_network() -> Any:
    """Return a small network of the kind we train: unshuffled by 2, a level below, both outputs, dropout at two places."""
    import keras

    from export.layers import DepthToSpace, MCDropout, NearestUpsample, SpaceToDepth

    keras.utils.set_random_seed(1)
    layers = keras.layers
    start = keras.Input((None, None, 1))
    top = layers.Conv2D(8, 3, padding="same", activation="relu")(SpaceToDepth()(start))
    x = layers.Conv2D(12, 3, strides=2, padding="same", activation="relu")(top)
    x = MCDropout(0.25, "channel")(x)
    x = layers.Conv2D(12, 3, padding="same", activation="relu", bias_initializer="random_normal")(x)
    x = layers.Concatenate()([NearestUpsample()(x), top])
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    dropped = MCDropout(0.25, "channel")(x)
    noise = DepthToSpace()(layers.Conv2D(4, 3, padding="same")(dropped))
    mean = layers.Subtract(name="mean")([start, noise])
    log_variance = DepthToSpace(name="log_variance")(layers.Conv2D(4, 3, padding="same")(x))
    return keras.Model(start, [mean, log_variance], name="own")


@pytest.fixture(scope="session")
def own_source(own_network: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the same network, saved and opened again."""
    from export.source import open_source

    path = tmp_path_factory.mktemp("own") / "own.keras"
    own_network.save(path)
    return open_source(path)


@pytest.fixture(scope="session")
def own_onnx(own_source: Any) -> Any:
    """Return the same network converted."""
    from export.convert import convert

    return convert(own_source, "own", {"input_sigma": 1.0})


@pytest.fixture(scope="session")
def bayes_file(write_legacy: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return bare legacy weights, random, for the architecture ``bayes``."""
    import keras

    from export.architectures import ARCHITECTURES

    keras.utils.set_random_seed(2)
    return write_legacy(tmp_path_factory.mktemp("bayes") / "bayes.hdf5", ARCHITECTURES["bayes"].build())


@pytest.fixture(scope="session")
def unet_file(write_legacy: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a whole saved legacy model, random, of the architecture ``unet``."""
    import keras

    from export.architectures import ARCHITECTURES

    keras.utils.set_random_seed(3)
    return write_legacy(tmp_path_factory.mktemp("unet") / "unet.hdf5", ARCHITECTURES["unet"].build(), whole=True)
