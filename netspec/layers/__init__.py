"""The layers of the language. Importing the package fills `LAYERS`."""

from . import (
    activations,
    adaptive,
    arithmetic,
    conv,
    depth,
    divisive,
    dropout,
    join,
    linear,
    norm,
    pointwise,
    pool,
    products,
    resample,
    shaping,
    slicing,
    transposed,
)
from .base import LAYERS

__all__ = [
    "LAYERS",
    "activations",
    "adaptive",
    "arithmetic",
    "conv",
    "depth",
    "divisive",
    "dropout",
    "join",
    "linear",
    "norm",
    "pointwise",
    "pool",
    "products",
    "resample",
    "shaping",
    "slicing",
    "transposed",
]
