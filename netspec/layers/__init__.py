"""The layers of the language."""

from .base import LAYERS

__all__ = ["LAYERS"]
