"""Pools whose windows follow from the size: over the whole input, or to a given size."""

from __future__ import annotations

from math import gcd

from ..base.dims import product
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Raw, X, call, method
from .arguments import Unsupported, arg, axes, describe, flag, spread, square
from .base import Apply, At, Example, Helper, Layer, Use, function, layer
from .shapes import AxisMap, channels_map, each_place
from .window import needs_grid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ..base.dims import Dim, Shape
    from .base import Array
    from .shapes import AxisMap


class _Whole(Layer):
    """A pool over all cells. PyTorch's modules are for channels-first; a sum over axes works in either layout."""

    keepdims: bool

    # what the frameworks call it
    reduction: ClassVar[str]
    torch_name: ClassVar[tuple[str, str]]
    keras_name: ClassVar[str]

    def shape(self, *xs: Shape) -> Shape:
        x = xs[0]
        rank = needs_grid(self.kind, x)
        return (*(1,) * rank, x[-1]) if self.keepdims else (x[-1],)

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(xs[0])

    def reach(self, x: Shape) -> None:
        return None

    def axis_map(self, *xs: Shape) -> AxisMap:
        places, rank = each_place(xs[0]), len(self.shape(*xs))
        return AxisMap((places,), ((*(None,) * (rank - 1), places[-1]),))

    def torch(self, at: At) -> Use:
        rank = len(at.spatial)
        if not at.first:
            dims = 1 if rank == 1 else tuple(range(1, rank + 1))
            kept = {"keepdim": True} if self.keepdims else {}
            return Use((function(method(X(), self.reduction, dims, **kept)),))
        word, kind = self.torch_name
        pool = function(call(f"F.adaptive_{word}_pool{rank}d", X(), 1), call(f"nn.Adaptive{kind}Pool{rank}d", 1))
        if self.keepdims:
            return Use((pool,))
        return Use((pool, function(call("torch.flatten", X(), 1), call("nn.Flatten"))))

    def keras(self, at: At) -> Use:
        kept = {"keepdims": True} if self.keepdims else {}
        return Use((Apply(call(f"layers.Global{self.keras_name}Pooling{len(at.spatial)}D", **kept)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        x = xs[0]
        y: Array = getattr(x, _NUMPY[self.reduction])(tuple(range(1, x.ndim - 1)), keepdims=self.keepdims)
        return y


# PyTorch's word for a reduction, and NumPy's
_NUMPY = {"amax": "max", "mean": "mean"}


@layer("global_maxpool", style="pool")
class GlobalMaxPool(_Whole):
    """The largest number of each channel.

    Collobert et al., "Natural language processing (almost) from scratch" (2011), max over time.
    """

    keepdims: bool = arg(flag, False, doc="keep the spatial axes, each of size 1")

    reduction, torch_name, keras_name = "amax", ("max", "Max"), "Max"
    examples = (
        Example("global_maxpool", (5, 4, 3), (3,)),
        Example("global_maxpool", (7, 3), (3,)),
        Example("global_maxpool(keepdims=true)", (4, 3, 2, 3), (1, 1, 1, 3)),
    )


@layer("global_avgpool", style="pool")
class GlobalAvgPool(_Whole):
    """The average of each channel. Lin et al., "Network in network" (2013), section 3.2."""

    keepdims: bool = arg(flag, False, doc="keep the spatial axes, each of size 1")

    reduction, torch_name, keras_name = "mean", ("avg", "Avg"), "Average"
    examples = (
        Example("global_avgpool", (5, 4, 3), (3,)),
        Example("global_avgpool", (7, 3), (3,)),
        Example("global_avgpool(keepdims=true)", (4, 3, 2, 3), (1, 1, 1, 3)),
    )


_UNEVEN = Helper("adaptive_pool", file="keras/adaptive_pool")


class _Adaptive(Layer):
    """A pool to a given size: window i of an axis of n cells runs from floor(i*n/size) to ceil((i + 1)*n/size)."""

    size: Any

    torch_layout = "first"
    torch_name: ClassVar[tuple[str, str]]
    keras_name: ClassVar[str]
    keras_reduction: ClassVar[str]

    def _sizes(self, x: Shape) -> tuple[int, ...]:
        return spread(self.size, len(x) - 1, "size")

    def shape(self, *xs: Shape) -> Shape:
        needs_grid(self.kind, xs[0])
        return (*self._sizes(xs[0]), xs[0][-1])

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(xs[0])

    def reach(self, x: Shape) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """From n cells to o: window i covers i*n/o to (i + 1)*n/o. None where a size is a symbol."""
        sizes, known = self._sizes(x), [n for n in x[:-1] if isinstance(n, int)]
        if len(known) < len(sizes) or set(sizes) == {1}:
            return None
        steps = tuple(n // gcd(n, o) for n, o in zip(known, sizes))
        return steps, steps

    def finer(self, x: Shape) -> tuple[int, ...]:
        return tuple(o // gcd(n, o) if isinstance(n, int) else 1 for n, o in zip(x, self._sizes(x)))

    def axis_map(self, *xs: Shape) -> AxisMap:
        return channels_map(xs[0], self.shape(*xs), "c", "c", {})

    def torch(self, at: At) -> Use:
        sizes = self._sizes(at.x)
        word, kind = self.torch_name
        rank, size = len(sizes), square(sizes)
        make = call(f"nn.Adaptive{kind}Pool{rank}d", size)
        return Use((function(call(f"F.adaptive_{word}_pool{rank}d", X(), size), make),))

    def keras(self, at: At) -> Use:
        sizes, spatial = self._sizes(at.x), at.spatial
        rank = len(sizes)
        if set(sizes) == {1}:
            return Use((Apply(call(f"layers.Global{self.keras_name}Pooling{rank}D", keepdims=True)),))
        known = tuple(n for n in spatial if isinstance(n, int))
        if len(known) < rank:
            raise Unsupported(
                f"Keras must know the size of what {self.kind} divides, but it is {describe(spatial)}",
                "size",
                help="give the sizes values with `--set`, or build for PyTorch",
            )
        if all(n % o == 0 for n, o in zip(known, sizes)):
            window = square(tuple(n // o for n, o in zip(known, sizes)))
            return Use((Apply(call(f"layers.{self.keras_name}Pooling{rank}D", window)),))
        return Use((function(call("adaptive_pool", X(), sizes, Raw(self.keras_reduction)), helpers=(_UNEVEN,)),))


@layer("adaptive_avgpool", style="pool")
class AdaptiveAvgPool(_Adaptive):
    """Averages over windows that share the input evenly, to a given size.

    He et al., "Spatial pyramid pooling" (2014), section 2.2; the bounds of the windows are PyTorch's.
    """

    size: Any = arg(axes, doc="the size that comes out")

    torch_name, keras_name, keras_reduction = ("avg", "Avg"), "Average", "ops.mean"
    examples = (
        Example("adaptive_avgpool(3x2)", (6, 4, 3), (3, 2, 3)),
        Example("adaptive_avgpool(3)", (7, 5, 2), (3, 3, 2)),
        Example("adaptive_avgpool(1)", (7, 5, 2), (1, 1, 2)),
        Example("adaptive_avgpool(4)", (9, 2), (4, 2)),
        Example("adaptive_avgpool(2x3x1)", (3, 5, 2, 2), (2, 3, 1, 2)),
    )

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        from .arrays import unevenly_pooled

        return unevenly_pooled(xs[0], np.mean, self._sizes(xs[0].shape[1:]))


@layer("adaptive_maxpool", style="pool")
class AdaptiveMaxPool(_Adaptive):
    """The largest number of windows that share the input evenly, to a given size.

    He et al., "Spatial pyramid pooling" (2014), section 2.2; the bounds of the windows are PyTorch's.
    """

    size: Any = arg(axes, doc="the size that comes out")

    torch_name, keras_name, keras_reduction = ("max", "Max"), "Max", "ops.max"
    examples = (
        Example("adaptive_maxpool(3x2)", (6, 4, 3), (3, 2, 3)),
        Example("adaptive_maxpool(3)", (7, 5, 2), (3, 3, 2)),
        Example("adaptive_maxpool(1)", (7, 2), (1, 2)),
        Example("adaptive_maxpool(2x3x1)", (3, 5, 2, 2), (2, 3, 1, 2)),
    )

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        from .arrays import unevenly_pooled

        return unevenly_pooled(xs[0], np.max, self._sizes(xs[0].shape[1:]))
