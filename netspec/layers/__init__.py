"""The layers of the language. Importing the package fills `LAYERS`."""

from . import (
    activations,
    arithmetic,
    divisive,
    dropout,
    join,
    linear,
    norm,
    pointwise,
    products,
    shaping,
    slicing,
    window,
)
from .base import LAYERS

__all__ = [
    "LAYERS",
    "activations",
    "arithmetic",
    "divisive",
    "dropout",
    "join",
    "linear",
    "norm",
    "pointwise",
    "products",
    "shaping",
    "slicing",
    "window",
]
