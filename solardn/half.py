"""A network's graph in float16, for GPUs."""

from __future__ import annotations

from .errors import MissingExtra, OptionError
from .model import Model


def in_half(model: Model) -> bytes:
    """Return a network's graph with float32 inputs and outputs that computes in float16 in between.

    Of a signal of 100 noise rms a float16 loses what is below 0.03 noise rms.

    Parameters
    ----------
    model : Model

    Raises
    ------
    OptionError
        The network draws dropout masks.
    MissingExtra
        onnx is not installed, with which onnxruntime's own converter works.
    """
    if model.card.dropout is not None:
        raise OptionError(
            f"network {model.card.name!r} draws dropout masks, which is done in fp32 only; use --precision fp32"
        )
    try:
        import onnx
        from onnxruntime.transformers.float16 import convert_float_to_float16
    except ImportError as error:
        raise MissingExtra(
            "precision fp16 needs the package onnx; install it with: pip install 'solardn[cuda]', or use --precision fp32"
        ) from error
    converted = convert_float_to_float16(onnx.load_from_string(model.data), keep_io_types=True)
    data: bytes = converted.SerializeToString()
    return data
