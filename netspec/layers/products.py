"""Products of vectors and matrices that are both values."""

from __future__ import annotations

from ..base.dims import product, show
from ..base.record import TYPE_CHECKING
from ..pycode.expr import Index, Infix, X, call, method, unless
from .arguments import Violation, arg, flag
from .base import Apply, At, Example, Layer, Use, function, layer
from .join import lift, lifted
from .norm import epsilon_reader
from .shapes import AxisMap, broadcast, each_place, same_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.dims import Dim, Shape
    from ..pycode.expr import Code
    from .base import Array


@layer("dot", style="join")
class Dot(Layer):
    """The inner product of two vectors, as a vector of one number."""

    normalize: bool = arg(flag, False, doc="divide by both lengths: the cosine of the angle")

    arity = 2
    ordered = False
    examples = (
        Example("dot", ((6,), (6,)), (1,), macs=6),
        Example("dot(normalize=true)", ((6,), (6,)), (1,), macs=6),
    )

    def shape(self, *xs: Shape) -> Shape:
        for x in xs:
            if len(x) != 1:
                raise Violation(
                    "wrong-rank", f"dot needs vectors, but one value is {show(x)}", help="`a @ b` multiplies matrices"
                )
        same_shapes(self.kind, xs)
        return (1,)

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return xs[0][0]

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return 0

    def reach(self, x: Shape) -> None:
        return None

    def axis_map(self, *xs: Shape) -> AxisMap:
        return AxisMap((each_place(xs[0]),) * 2, ((None,),))

    def torch(self, at: At) -> Use:
        if self.normalize:
            cosine = call("F.cosine_similarity", X(0), X(1), eps=1e-12)
            return Use((function(method(cosine, "unsqueeze", 1)),))
        return Use((function(method(Infix(X(0), "*", X(1)), "sum", 1, keepdim=True)),))

    def keras(self, at: At) -> Use:
        return Use((Apply(call("layers.Dot", axes=1, **unless(False, normalize=self.normalize))),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        a, b = xs
        if self.normalize:
            a, b = (x / (x**2).sum(1, keepdims=True) ** 0.5 for x in xs)
        y: Array = (a * b).sum(1, keepdims=True)
        return y


@layer("outer", style="join")
class Outer(Layer):
    """The product of each number of one vector with each of another: a b^T. Axes in front of theirs must agree."""

    arity = 2
    torch_layout = "last"
    examples = (
        Example("outer", ((5,), (4,)), (5, 4)),
        Example("outer", ((6, 5), (6, 4)), (6, 5, 4)),
    )

    def shape(self, *xs: Shape) -> Shape:
        a, b = xs
        if not a or not b or a[:-1] != b[:-1]:
            raise Violation(
                "shape-mismatch",
                f"outer multiplies two vectors, or as many of both, not {show(a)} and {show(b)}",
            )
        return (*a, b[-1])

    def reach(self, x: Shape) -> None:
        return None

    def torch(self, at: At) -> Use:
        return Use((function(Infix(method(X(0), "unsqueeze", -1), "*", method(X(1), "unsqueeze", -2))),))

    def keras(self, at: At) -> Use:
        column, row = call("ops.expand_dims", X(0), -1), call("ops.expand_dims", X(1), -2)
        return Use((function(Infix(column, "*", row)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        y: Array = xs[0][..., :, None] * xs[1][..., None, :]
        return y


@layer("cosine", style="join")
class Cosine(Layer):
    """The cosine of the angle between vectors, which lie along the last axis; axes in front are matched as in joins.

    A memory [N, n] and a key [n] give [N], as in Graves et al., "Neural Turing Machines" (2014), equation 6.
    """

    epsilon: float = arg(epsilon_reader, 1e-8, doc="the least length that is divided by, so that it is never 0")

    arity = 2
    torch_layout = "last"
    examples = (
        Example("cosine", ((5, 4), (4,)), (5,), macs=20),
        Example("cosine(epsilon=0.5)", ((5, 4), (5, 4)), (5,), macs=20),
        Example("cosine", ((4,), (4,)), (), macs=4),
    )

    def shape(self, *xs: Shape) -> Shape:
        for x in xs:
            if not x or x[-1] != xs[0][-1]:
                raise Violation(
                    "shape-mismatch", f"cosine needs vectors of one size, not {show(xs[0])} and {show(xs[1])}"
                )
        return broadcast(self.kind, xs)[:-1]

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(y) * xs[0][-1]

    def reach(self, x: Shape) -> None:
        return None

    def _values(self, at: At) -> list[Code]:
        rank = max(map(len, at.inputs))
        return [lifted(at, i, rank) for i in range(len(at.inputs))]

    def torch(self, at: At) -> Use:
        how = unless(1e-8, eps=self.epsilon)
        return Use((function(call("F.cosine_similarity", *self._values(at), dim=-1, **how)),))

    def keras(self, at: At) -> Use:
        a, b = (call("ops.normalize", value, axis=-1, epsilon=self.epsilon) for value in self._values(at))
        return Use((function(call("ops.sum", Infix(a, "*", b), axis=-1)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        rank = max(x.ndim for x in xs) - 1
        a, b = (lift(x / np.maximum((x**2).sum(-1, keepdims=True) ** 0.5, self.epsilon), rank) for x in xs)
        y: Array = (a * b).sum(-1)
        return y


@layer("matmul", style="join")
class Matmul(Layer):
    """The matrix product `a @ b` over the last two written axes, as NumPy has it.

    A vector on the left is a row, one on the right a column, and their axis is dropped again; axes in front are
    matched as in element-wise joins.
    """

    arity = 2
    free = True
    torch_layout = "last"
    examples = (
        Example("matmul", ((5, 4), (4, 3)), (5, 3)),
        Example("matmul", ((2, 5, 4), (4, 3)), (2, 5, 3)),
        Example("matmul", ((4,), (4, 3)), (3,)),
        Example("matmul", ((5, 4), (4,)), (5,)),
        Example("matmul", ((4,), (4,)), ()),
        Example("matmul", ((4,), (2, 4, 3)), (2, 3)),
    )

    def _matrices(self, xs: tuple[Shape, ...]) -> tuple[Shape, Shape]:
        a, b = xs
        for x in xs:
            if not x:
                raise Violation("wrong-rank", "matmul needs vectors or matrices, but one value is []")
        return (a if len(a) > 1 else (1, *a)), (b if len(b) > 1 else (*b, 1))

    def shape(self, *xs: Shape) -> Shape:
        a, b = self._matrices(xs)
        if a[-1] != b[-2]:
            raise Violation(
                "shape-mismatch",
                f"{show(xs[0])} @ {show(xs[1])}: the rows of the first have {a[-1]} numbers, "
                f"the columns of the second {b[-2]}",
                label=f"{a[-1]} and {b[-2]} do not agree",
            )
        front = broadcast(self.kind, (a[:-2], b[:-2]))
        return (*front, *a[-2:-1][: len(xs[0]) - 1], *b[-1:][: len(xs[1]) - 1])

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return product(y) * xs[0][-1]

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return 0

    def reach(self, x: Shape) -> None:
        return None

    def _code(self, at: At) -> Code:
        a, b = at.inputs
        if self._is_plain(at):
            return Infix(X(0), "@", X(1))
        rank = max(map(len, self._matrices(at.inputs)))
        left = lifted(at, 0, rank)
        right: Code = X(1)
        if len(b) == 1 and at.is_free(1):
            right = Index(X(1), (slice(None), None))
        elif len(b) == 1:
            right = Index(X(1), (slice(None), *(None,) * (rank - 2), slice(None), None))
        elif len(b) < rank:
            right = lifted(at, 1, rank)
        code: Code = Infix(left, "@", right)
        if len(a) == 1 and len(b) == 1:
            return Index(code, (..., 0, 0))
        if len(a) == 1:
            return Index(code, (..., 0, slice(None)))
        return Index(code, (..., 0)) if len(b) == 1 else code

    def _is_plain(self, at: At) -> bool:
        """Do the frameworks multiply as it is written? A matrix or vector that is the same for every sample stands for
        itself beside what has a batch axis, which is one more axis in front."""
        a, b = at.inputs
        if at.is_free(0) and at.is_free(1):
            return True
        if at.is_free(1):
            return len(b) < 3 or len(a) >= len(b)
        return at.is_free(0) and 1 < len(b) >= len(a)

    def axis_map(self, *xs: Shape) -> AxisMap:
        a, b = xs
        left = (*(None,) * (len(a) - 2), *(("rows",) if len(a) > 1 else ()), "sum")
        right = (*(None,) * (len(b) - 2), "sum", *(("columns",) if len(b) > 1 else ()))
        made = (*(("rows",) if len(a) > 1 else ()), *(("columns",) if len(b) > 1 else ()))
        return AxisMap((left, right), ((*(None,) * (len(self.shape(a, b)) - len(made)), *made),))

    def torch(self, at: At) -> Use:
        return Use((function(self._code(at)),))

    def keras(self, at: At) -> Use:
        # `@` of TensorFlow takes no vectors, and TensorFlow up to 2.21 is wrong in [n, 1, m, k] by [k, l]
        odd = any(at.is_free(i) and len(x) == 1 for i, x in enumerate(at.inputs)) or max(map(len, at.inputs)) > 2
        if odd and (at.is_free(0) or at.is_free(1)) and self._is_plain(at):
            return Use((function(call("ops.matmul", X(0), X(1))),))
        return Use((function(self._code(at)),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        return np.stack([np.matmul(a, b) for a, b in zip(*xs)])
