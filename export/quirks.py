"""What tf2onnx does otherwise than one would expect, and how to live with it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from tf2onnx.optimizer.transpose_optimizer import TransposeOptimizer

from solardn.errors import ModelError


@contextmanager
def transposes_kept() -> Iterator[None]:
    """Keep tf2onnx from turning a Transpose of a map with one channel into a Reshape before it cancels with its inverse.

    What then becomes of the Reshape depends on the order of a set: one conversion in twenty leaves a graph that does not run.
    """
    kept = TransposeOptimizer.post_optimize_action
    TransposeOptimizer.post_optimize_action = lambda self: None
    try:
        yield
    finally:
        TransposeOptimizer.post_optimize_action = kept


@contextmanager
def errors_raised(name: str) -> Iterator[None]:
    """Turn what tf2onnx only logs as an error into one."""
    messages: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("tf2onnx")
    logger.addHandler(handler)
    try:
        yield
    except Exception as error:
        messages.append(f"{type(error).__name__}: {error}")
        raise ModelError(_sentence(name, messages)) from error
    finally:
        logger.removeHandler(handler)
    if messages:
        raise ModelError(_sentence(name, messages))


def _sentence(name: str, messages: list[str]) -> str:
    # Keras ends with what the layer was given; why it failed stands before, in bold.
    said = re.sub(r"\x1b\[\d*m", "", messages[0].partition("Arguments received by")[0])
    reason = said.strip().splitlines()[-1].strip()[:300]
    return f"the network {name!r} cannot be converted ({reason}); build it from convolutions, poolings and the layers of export/layers.py"
