"""The same numbers in another type."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import X, call, method
from .arguments import Reader, arg, choice
from .base import Apply, At, Example, Helper, Use, function, layer
from .shaping import Arrangement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Array

# each type and the method that PyTorch has for it
_TYPES = {"float32": "float", "float64": "double", "float16": "half", "int32": "int", "int64": "long", "bool": "bool"}


_SHORT = {"float": "float32", "int": "int64"}
_type = choice(*_SHORT, *_TYPES)
type_reader = Reader(lambda value: _SHORT.get(_type.read(value), value), _type.doc, _type.words)


TORCH_FLOAT = Helper("ToFloat", file="torch/to_float")


@layer("cast")
class Cast(Arrangement):
    """The same numbers in another type; towards integers they are cut off at the point.

    `float` is float32, and in PyTorch what the model is turned into (`.half()`, `.double()`); `int` is int64.
    """

    to: str = arg(type_reader, "float32", doc="the type of number that comes out")

    pointwise = True
    examples = (
        Example("cast", (5,), (5,), vocabulary=9),
        Example("cast(int32)", (5, 4, 3), (5, 4, 3)),
        Example("cast(int)", (5, 4), (5, 4)),
        Example("cast(to=bool)", (5, 4), (5, 4)),
    )

    def dtype(self, *given: str) -> str:
        return str(self.to)

    def torch(self, at: At) -> Use:
        if self.to == "float32":
            return Use((Apply(call("ToFloat"), helpers=(TORCH_FLOAT,)),))
        return Use((function(method(X(), _TYPES[self.to])),))

    def keras(self, at: At) -> Use:
        return Use((function(call("ops.cast", X(), str(self.to))),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        return xs[0].astype(self.to)
