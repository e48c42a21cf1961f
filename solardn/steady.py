"""Whether several threads may share a run of a network without a bit of its result depending on them.

A runtime gives each thread a part of every operator's work. Sums come out alike as long as the parts are not small (`tiling.threads_within`). But
functions such as the exponential are computed in vectors with another formula than one by one, and which pixels are left over for the second
depends on how the work was cut; so they are left to one thread.
"""

from __future__ import annotations

from .model import Model
from .onnxfile import read

_EXACT = """
Add And AveragePool BitShift BitwiseAnd BitwiseOr BitwiseXor Cast Clip Concat Constant ConstantOfShape Conv ConvTranspose DepthToSpace Div Equal
Expand Flatten Gather Greater GreaterOrEqual Identity LeakyRelu Less LessOrEqual Max MaxPool Min Mul Neg Not Or PRelu Pad Range Relu Reshape
Resize Shape Slice SpaceToDepth Split Squeeze Sub Tile Transpose Unsqueeze Upsample Where Xor
"""
"""Operators whose every element is one operation, exactly rounded, a choice, a copy, or a sum over channels and neighbours."""


def is_steady(model: Model) -> bool:
    """Tell whether all operators of a network are among those that threads may share."""
    return all(node.op in _EXACT.split() for node in read(model.data).nodes)
