"""Open a trained network, whatever it was saved as, and refuse what cannot become an ONNX file for maps of any size."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from solardn.errors import ModelError, OptionError

from .architectures import ARCHITECTURES
from .weights import load_weights

_REFUSED = (
    "Dense", "EinsumDense", "Flatten", "Reshape", "Permute", "RepeatVector", "Resizing", "Embedding",
    "GlobalAveragePooling2D", "GlobalMaxPooling2D", "MultiHeadAttention", "Conv1D", "Conv3D", "LSTM", "GRU", "ConvLSTM2D",
)  # fmt: skip
_OUTPUTS = (["mean"], ["log_variance", "mean"])


@dataclass(frozen=True)
class Source:
    """A trained network.

    Attributes
    ----------
    model : keras.Model
        Computes in float32, whatever it was trained in.
    outputs : tuple of str
        ``mean`` or ``log_variance``, for each output in the model's order.
    card : dict
        What the architecture knows for the card: ``input_sigma``, ``description``, ``reference``; empty for a whole model.
    origin : dict
        File, sha256 and architecture, for the card's ``source``.
    """

    model: keras.Model
    outputs: tuple[str, ...]
    card: dict[str, Any]
    origin: dict[str, str]


def open_source(path: Path, architecture: str | None = None, modules: tuple[str, ...] = ()) -> Source:
    """Open weights of a known architecture, or a whole Keras model.

    Parameters
    ----------
    path : Path
        Legacy HDF5 weights (with an architecture), or a ``.keras`` or ``.h5`` model (without).
    architecture : str, optional
        A name in `ARCHITECTURES`.
    modules : tuple of str
        Python modules that register the model's own layers, imported first.

    Raises
    ------
    ModelError
        The file cannot be read, does not fit, or holds a network that cannot run on maps of any size.
    OptionError
        The architecture or a module is not known.
    """
    from . import layers  # noqa: F401 - registers the layers that our own networks are made of

    if path.is_dir():
        raise ModelError(
            f"the network {path} is a folder, as TensorFlow saves one; save it with model.save as a .keras file"
        )
    if not path.is_file():
        raise ModelError(f"the network {path} does not exist; check the path")
    origin = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    if architecture is None:
        model = in_float32(_load(path, modules))
        return Source(model, _check(model, path), {}, origin)
    if architecture not in ARCHITECTURES:
        raise OptionError(f"the architecture {architecture!r} is not known; take one of {', '.join(ARCHITECTURES)}")
    known = ARCHITECTURES[architecture]
    model = known.build()
    load_weights(model, path)
    card = {"input_sigma": known.input_sigma, "description": known.description, "reference": known.reference}
    return Source(model, known.outputs, card, {**origin, "architecture": architecture})


def _load(path: Path, modules: tuple[str, ...]) -> keras.Model:
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise OptionError(f"the module {module!r} cannot be imported ({error}); check --layers") from error
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever it meets: this is the one place where its faults get our name
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"{path} cannot be opened as a Keras model ({type(error).__name__}: {reason}); give --architecture if it holds weights only, --layers if its layers are your own"
        ) from error


def in_float32(model: keras.Model) -> keras.Model:
    """Return the model with every layer computing in float32 (networks trained in mixed precision keep float32 weights)."""

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        return type(layer).from_config({**layer.get_config(), "dtype": "float32"})

    return rebuild(model, copy)


def rebuild(model: keras.Model, replace: Any) -> keras.Model:
    """Return a copy of a functional model, each layer made anew by ``replace(layer)``, with the same weights."""
    if not (hasattr(model, "operations") or isinstance(model, keras.Sequential)):
        raise ModelError(
            f"the network {model.name!r} is not a functional Keras model; rebuild it with keras.Model(inputs, outputs)"
        )

    def fresh(part: keras.Operation) -> keras.Operation:
        # Operators (x - y) and keras.ops stand in a functional model beside layers.
        return replace(part) if isinstance(part, keras.layers.Layer) else type(part).from_config(part.get_config())

    clone = keras.models.clone_model(model, clone_function=fresh)
    clone.set_weights(model.get_weights())
    return clone


def _check(model: keras.Model, path: Path) -> tuple[str, ...]:
    """Refuse what is not fully convolutional with one channel in; return the names of the outputs."""
    for layer in all_layers(model):
        if type(layer).__name__ in _REFUSED:
            raise ModelError(
                f"{path}: layer {layer.name!r} is a {type(layer).__name__}, which works on maps of one size only; use convolutions instead"
            )
        if getattr(layer, "data_format", "channels_last") != "channels_last":
            raise ModelError(f"{path}: layer {layer.name!r} works channels first; build the network channels last")
        if isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation != "nearest":
            raise ModelError(
                f"{path}: layer {layer.name!r} enlarges by {layer.interpolation} interpolation, which Keras computes on maps of one size only; take interpolation='nearest' and a convolution"
            )
        if not all(np.isfinite(weight).all() for weight in layer.get_weights()):
            raise ModelError(f"{path}: layer {layer.name!r} has weights that are not finite; train the network again")
    if len(model.inputs) != 1:
        raise ModelError(f"{path} has {len(model.inputs)} inputs; one, the map, is needed")
    shape = tuple(model.inputs[0].shape)
    if len(shape) != 4 or shape[3] != 1:
        raise ModelError(f"{path}: the input has the shape {shape}; (None, None, None, 1) is needed: one channel, last")
    if shape[1:3] != (None, None):
        raise ModelError(
            f"{path}: the input has the fixed size {shape[1]}×{shape[2]}; build the network with keras.Input((None, None, 1))"
        )
    for output in model.outputs:
        if len(output.shape) != 4 or output.shape[3] != 1:
            raise ModelError(f"{path}: an output has the shape {tuple(output.shape)}; one channel, last, is needed")
    names = tuple(_output_names(model))
    if sorted(names) not in _OUTPUTS:
        raise ModelError(
            f"{path} names its outputs {', '.join(names)}; one output, or two from layers named 'mean' and 'log_variance', are needed"
        )
    return names


def _output_names(model: keras.Model) -> list[str]:
    if len(model.outputs) == 1:
        return ["mean"]
    return [str(name).split("/")[0] for name in model.output_names]


def all_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return all layers of a model, those of models inside it included."""
    found = []
    for layer in model.layers:
        found += all_layers(layer) if isinstance(layer, keras.Model) else [layer]
    return found
