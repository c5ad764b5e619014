"""Sums of products, written with a letter for each axis."""

from __future__ import annotations

from ..base.dims import product, show
from ..base.record import TYPE_CHECKING, Record
from ..pycode.expr import X, call
from .arguments import Reader, Violation, Word, arg, describe
from .base import At, Example, Layer, Use, function, layer
from .shapes import AxisMap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from ..base.dims import Dim, Shape
    from .base import Array


class Formula(Record):
    """`ij,jk->ik`: the letters of each value, and of the result."""

    inputs: tuple[str, ...]
    output: str

    def __str__(self) -> str:
        return f"{','.join(self.inputs)}->{self.output}"


_SMALL = "abcdefghijklmnopqrstuvwxyz"
_MOST = len(_SMALL) - 1
_FORM = 'a text such as "ij,jk->ik": a letter for each axis but the batch, and behind the arrow those that stay'


def _formula(value: Any) -> Formula:
    if isinstance(value, Word) or not isinstance(value, str):
        raise ValueError(f"must be {_FORM}, not {describe(value)}", "")
    inputs, arrow, output = value.replace(" ", "").partition("->")
    parts = tuple(inputs.split(","))
    letters = "".join((*parts, output))
    if not arrow or not all(part for part in parts) or not all(c.isascii() and c.isalpha() for c in letters):
        raise ValueError(f"must be {_FORM}, not {describe(value)}", "")
    for part in (*parts, output):
        twice = next((c for c in part if part.count(c) > 1), "")
        if twice:
            raise ValueError(f"has `{twice}` twice in `{part}`", "give each axis of a value a letter of its own")
    strange = next((c for c in output if c not in inputs), "")
    if strange:
        raise ValueError(f"has `{strange}` behind the arrow, but in no value", "")
    if len(set("".join(parts))) > _MOST:
        raise ValueError(f"has more than {_MOST} letters", "the batch takes one of the 26 that Keras knows")
    return Formula(parts, output)


@layer("einsum", style="join")
class Einsum(Layer):
    """Products of numbers, summed over the letters that are not behind the arrow: `einsum("ij,jk->ik", a, b)`.

    Einstein (1916), section 5. Letters stand for the written axes; the batch is always there. Several values are
    multiplied from the left to the right, and MACs are counted where such a product is summed.
    """

    formula: Formula = arg(Reader(_formula, _FORM), doc="the letters of each value, and of the result")

    arity: ClassVar[int | None] = None
    free = True
    torch_layout = "last"
    examples = (
        Example('einsum("ij,jk->ik")', ((5, 4), (4, 3)), (5, 3)),
        Example('einsum("hqd,hkd->hqk")', ((2, 5, 4), (2, 3, 4)), (2, 5, 3)),
        Example('einsum("i,j->ij")', ((5,), (4,)), (5, 4)),
        Example('einsum("bij->jb")', (5, 4, 3), (3, 5)),
        Example('einsum("i,i->")', ((5,), (5,)), (), macs=5),
        Example('einsum("ij,j,jk->ik")', ((5, 4), (4,), (4, 3)), (5, 3), macs=60),
        Example('einsum("iK,KJ->iJ")', ((5, 4), (4, 3)), (5, 3)),
        Example('einsum("bN,nN->bn")', ((5, 4), (3, 4)), (5, 3)),
    )

    def sizes(self, xs: tuple[Shape, ...]) -> dict[str, Dim]:
        """What each letter stands for. Raises Violation."""
        formula = self.formula
        if len(formula.inputs) != len(xs):
            raise Violation("wrong-arity", f"`{formula}` is for {len(formula.inputs)} values, not {len(xs)}", "formula")
        found: dict[str, Dim] = {}
        for letters, x in zip(formula.inputs, xs):
            if len(letters) != len(x):
                said = f"`{letters}` names {len(letters)} axes, but a value is {show(x)}"
                help = "the batch is never written: leave its letter out" if len(letters) == len(x) + 1 else ""
                raise Violation("wrong-rank", said, "formula", help)
            for letter, n in zip(letters, x):
                if found.setdefault(letter, n) != n:
                    raise Violation(
                        "shape-mismatch", f"`{letter}` is {found[letter]} in one value and {n} in another", "formula"
                    )
        return found

    def shape(self, *xs: Shape) -> Shape:
        sizes = self.sizes(xs)
        return tuple(sizes[letter] for letter in self.formula.output)

    def macs(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        """Each product of two values that is summed: all letters of both, once what stands in one of them only and
        nowhere behind has been summed away."""
        sizes = self.sizes(xs)
        total: Dim = 0
        for left, right, kept in self._products():
            both = dict.fromkeys(_alone(left, right + kept) + _alone(right, left + kept))
            if len(kept) < len(both):
                total = product(sizes[c] for c in both) + total
        return total

    def _products(self) -> list[tuple[str, str, str]]:
        """The letters of both values of each product, from the left to the right, and of what it gives."""
        left, *rest = self.formula.inputs
        found = []
        for number, right in enumerate(rest, 1):
            behind = "".join((*rest[number:], self.formula.output))
            kept = _alone("".join(dict.fromkeys(left + right)), behind)
            found.append((left, right, kept if rest[number:] else self.formula.output))
            left = kept
        return found

    def other_ops(self, xs: tuple[Shape, ...], y: Shape) -> Dim:
        return 0 if self.macs(xs, y) else product(self.sizes(xs).values())

    def reach(self, x: Shape) -> None:
        return None

    def _text(self, at: At | None = None) -> str:
        """The formula with a letter for the batch, where a value has one."""
        free = [at is not None and at.is_free(i) for i in range(len(self.formula.inputs))]
        return self._written(self.formula, free)

    def _written(self, formula: Formula, free: list[bool]) -> str:
        letters, batch = self._small()
        parts = tuple(part if alone else batch + part for part, alone in zip(formula.inputs, free))
        text = str(Formula(parts, formula.output if all(free) else batch + formula.output))
        return "".join(letters.get(c, c) for c in text)

    def _small(self) -> tuple[dict[str, str], str]:
        """A small letter for each capital one, and one for the batch: a symbolic value of Keras knows no others."""
        written = dict.fromkeys(c for c in str(self.formula) if c.isalpha())
        left = [c for c in "bnz" + _SMALL if c not in written]
        found: dict[str, str] = {}
        for capital in [c for c in written if c.isupper()]:
            own = capital.lower()
            found[capital] = own if own in left else left[-1]
            left = [c for c in left if c != found[capital]]
        return found, left[0]

    def axis_map(self, *xs: Shape) -> AxisMap:
        return AxisMap(tuple(map(tuple, self.formula.inputs)), (tuple(self.formula.output),))

    def torch(self, at: At) -> Use:
        """Two values at a time: of a product of more, `torch.export` takes the batch for a number."""
        steps, alone = [], at.is_free(0)
        for number, (left, right, kept) in enumerate(self._products(), 1):
            free = [alone, at.is_free(number)]
            text = self._written(Formula((left, right), kept), free)
            steps.append(function(call("torch.einsum", text, X(0), X(number))))
            alone = all(free)
        return Use(tuple(steps) or (function(call("torch.einsum", self._text(at), X(0))),))

    def keras(self, at: At) -> Use:
        return Use((function(call("ops.einsum", self._text(at), *(X(i) for i in range(len(at.inputs))))),))

    def reference(self, xs: tuple[Array, ...], w: Mapping[str, Array]) -> Array:
        import numpy as np

        y: Array = np.einsum(self._text(), *xs)
        return y


def _alone(letters: str, others: str) -> str:
    """The letters that stand elsewhere, too."""
    return "".join(c for c in letters if c in others)
