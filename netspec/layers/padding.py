"""Arithmetic of windows that slide: padding, output sizes, and how both frameworks are told.

Sizes follow Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (2016);
`same` is TensorFlow's rule: output ceil(n / stride), the odd cell at the end.
"""

from __future__ import annotations

from ..base.dims import ceil_div, floor_div
from ..base.record import TYPE_CHECKING
from ..pycode.expr import X, call
from .arguments import Reader, Violation, Word, describe, square
from .base import Apply, Helper, function

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from ..base.dims import Dim, Shape

    # (before, after) for each spatial axis
    Pads: TypeAlias = "tuple[tuple[int, int], ...]"

_NUMBERS = "a number, one number for each axis, or a pair (before, after) for each axis"


def _amount(value: Any, forms: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"must be {forms}, not {describe(value)}", "amounts are whole numbers of at least 0")
    return value


def _amounts(value: Any, words: tuple[str, ...], forms: str) -> Any:
    if isinstance(value, str):
        if value in words and isinstance(value, Word):
            return value
        if not isinstance(value, Word):
            raise ValueError(
                f"must be a bare word or {_NUMBERS}, not {describe(value)}", f"leave the quotes out: `{value}`"
            )
        lower = value.lower()
        raise ValueError(f"must be {forms}, not {describe(value)}", f"write `{lower}`" if lower in words else "")
    if isinstance(value, tuple) and value:
        pairs = [v for v in value if isinstance(v, tuple)]
        if not pairs:
            return tuple(_amount(v, forms) for v in value)
        if len(pairs) != len(value) or any(len(p) != 2 for p in pairs):
            raise ValueError(f"must be {forms}, not {describe(value)}", "write ((0, 1), (0, 1)) for two axes")
        return tuple((_amount(a, forms), _amount(b, forms)) for a, b in value)
    return _amount(value, forms)


def _reader(*words: str) -> Reader:
    forms = ", ".join((*words, _NUMBERS))
    return Reader(lambda value: _amounts(value, words, forms), forms, words)


padding_reader = _reader("valid", "same", "causal")
cropping_reader = _reader("valid", "same")
amount_reader = _reader()


def reached(kernel: int, dilation: int) -> int:
    """How many cells a dilated window spans."""
    return dilation * (kernel - 1) + 1


def explicit_pads(padding: Any, rank: int, argument: str = "padding") -> Pads:
    """The amounts of a padding that is written in numbers (or `valid`)."""
    if padding == "valid":
        return ((0, 0),) * rank
    if isinstance(padding, int):
        return ((padding, padding),) * rank
    if len(padding) != rank:
        many = "axis" if rank == 1 else "axes"
        raise Violation(
            "wrong-rank",
            f"`{argument}` has {len(padding)} amounts, but the input has {rank} spatial {many}",
            argument,
            help="give one amount for each spatial axis",
        )
    return tuple(p if isinstance(p, tuple) else (p, p) for p in padding)


def fixed_pads(padding: Any, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> Pads | None:
    """The amounts where they do not depend on the input; None for `same`."""
    if padding == "same":
        return None
    if padding != "causal":
        return explicit_pads(padding, len(kernel))
    if len(kernel) != 1:
        raise Violation(
            "wrong-rank",
            "`padding=causal` needs one spatial axis, a sequence",
            "padding",
            help="use `same` for images",
        )
    return ((reached(kernel[0], dilation[0]) - 1, 0),)


def same_total(size: Dim, span: int, stride: int) -> tuple[int, int]:
    """The least and the most that `same` adds to an axis: equal where the size is known or does not matter."""
    if isinstance(size, int):
        total = max((-(-size // stride) - 1) * stride + span - size, 0)
        return total, total
    return max(span - stride, 0), span - 1


def pads(
    padding: Any,
    sizes: Shape,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> Pads | None:
    """The amounts on each side; None where they depend on a size that is still a symbol."""
    fixed = fixed_pads(padding, kernel, dilation)
    if fixed is not None:
        return fixed
    totals = [same_total(n, reached(k, d), s) for n, k, s, d in zip(sizes, kernel, stride, dilation)]
    if any(least != most for least, most in totals):
        return None
    return tuple((total // 2, total - total // 2) for total, _ in totals)


def window_count(size: Dim, span: int, stride: int, pair: tuple[int, int], ceil: bool = False) -> Dim:
    """How many windows fit on an axis; 0 or less where none does.

    `ceil` adds one that hangs over the end, if it starts inside the input or its left padding (PyTorch's rule).
    """
    before, after = pair
    room = size + (before + after - span)
    if not ceil or after >= span:
        return floor_div(room, stride) + 1
    # a window may start up to `stride - 1` further than one that fits, but not behind the last cell
    return ceil_div(size + (before + min(after - span + stride, 0)), stride)


def window_sizes(
    padding: Any,
    sizes: Shape,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    ceil: bool = False,
) -> tuple[Dim, ...]:
    """Output sizes along the spatial axes.

    Raises Violation (`window-too-large`) with the arithmetic where nothing is left.
    """
    amounts = fixed_pads(padding, kernel, dilation)
    if amounts is None:
        return tuple(ceil_div(n, s) for n, s in zip(sizes, stride))
    found = []
    for n, k, s, d, pair in zip(sizes, kernel, stride, dilation, amounts):
        span = reached(k, d)
        out = window_count(n, span, s, pair, ceil)
        if isinstance(n, int) and isinstance(out, int) and out <= 0:
            raise _too_large(n, span, s, pair, out, ceil)
        found.append(out)
    return tuple(found)


def _too_large(n: int, span: int, stride: int, pair: tuple[int, int], out: int, ceil: bool) -> Violation:
    added = f"2*{pair[0]}" if pair[0] == pair[1] else f"{pair[0]} + {pair[1]}"
    share = f"({n} - {span} + {added})/{stride}"
    if (n - span + sum(pair)) % stride:
        share = f"{'ceil' if ceil else 'floor'}({share})"
    room = n + sum(pair)
    smaller = f"use a window that spans at most {room}, or " if room > 0 else ""
    return Violation(
        "window-too-large",
        f"the window of {span} does not fit into {n}: {share} + 1 = {out}",
        "kernel",
        help=f"{smaller}pad with `padding=same`",
        label=f"spans {span}",
    )


def overhang(size: Dim, span: int, stride: int, pair: tuple[int, int], out: Dim) -> tuple[int, int]:
    """The amounts with which plain windows, rounded down, are those of `ceil`."""
    before, after = pair
    if isinstance(size, int) and isinstance(out, int):
        return before, max((out - 1) * stride + span - size - before, 0)
    return before, min(after + stride, span) - 1 if after < span else after


# --- what the frameworks write ------------------------------------------------------------------------------------


def flat(amounts: Pads) -> tuple[int, ...]:
    """The order of `F.pad`: last axis first, before and after."""
    return tuple(n for pair in reversed(amounts) for n in pair)


def is_nothing(amounts: Pads) -> bool:
    return not any(n for pair in amounts for n in pair)


def compact(amounts: Pads) -> Any:
    """The amounts as Keras takes them: one number where all agree, a pair for a sequence."""
    if len(amounts) == 1:
        before, after = amounts[0]
        return before if before == after else (before, after)
    if all(a == b for a, b in amounts):
        return square(tuple(a for a, _ in amounts))
    return amounts


def torch_pad(amounts: Pads, value: float = 0.0) -> tuple[Apply, ...]:
    """An explicit pad for PyTorch (channels-first), or nothing where all amounts are 0."""
    if is_nothing(amounts):
        return ()
    rank = len(amounts)
    if value == 0:
        return (function(call("F.pad", X(), flat(amounts)), call(f"nn.ZeroPad{rank}d", flat(amounts))),)
    make = call(f"nn.ConstantPad{rank}d", flat(amounts), value)
    return (function(call("F.pad", X(), flat(amounts), value=value), make),)


def keras_pad(amounts: Pads, value: float = 0.0, written: bool = False) -> tuple[Apply, ...]:
    """An explicit pad for Keras, or nothing where all amounts are 0, unless it is to be `written` all the same."""
    if is_nothing(amounts) and not written:
        return ()
    if value == 0:
        return (Apply(call(f"layers.ZeroPadding{len(amounts)}D", compact(amounts))),)
    return (function(call("ops.pad", X(), keras_widths(amounts), constant_values=value)),)


def keras_widths(amounts: Pads) -> Pads:
    """The amounts as `ops.pad` takes them, batch and channels included."""
    return ((0, 0), *amounts, (0, 0))


SAME_PAD = Helper("same_pad", file="torch/same_pad")


def same_average(rank: int) -> Helper:
    """The average of the cells of the input in each window, as PyTorch has to be told it."""
    return Helper(
        f"same_avg_pool{rank}d",
        f'''\
def same_avg_pool{rank}d(x, kernel_size, stride):
    """Average pooling with the padding of `same_pad`, which does not count."""
    padded = same_pad(x, kernel_size, stride)
    inside = same_pad(torch.ones_like(x), kernel_size, stride)
    averages = F.avg_pool{rank}d(padded, kernel_size, stride)
    return averages / F.avg_pool{rank}d(inside, kernel_size, stride)
''',
        ("import torch", "import torch.nn.functional as F"),
    )


def keras_same_average(rank: int) -> Helper:
    """Keras's layer, but with the average of real cells where PyTorch is below it."""
    return Helper(
        f"SameAveragePooling{rank}D",
        f'''\
class SameAveragePooling{rank}D(layers.AveragePooling{rank}D):
    """The average of real cells with every backend: with PyTorch below it, Keras
    counts a repeated cell where "same" adds more behind than before."""

    def call(self, inputs):
        if keras.backend.backend() != "torch":
            return super().call(inputs)
        widths = [(0, 0), (0, 0)]
        for n, k, s in zip(inputs.shape[1:-1], self.pool_size, self.strides):
            total = max((n - 1) // s * s + k - n, 0)
            widths.insert(-1, (total // 2, total - total // 2))
        x, ones = (ops.pad(y, widths) for y in (inputs, ops.ones_like(inputs)))
        x, ones = (ops.average_pool(y, self.pool_size, self.strides) for y in (x, ones))
        return x / ones
''',
        ("import keras", "from keras import layers, ops"),
    )


def torch_same_pad(
    kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], value: float = 0.0
) -> tuple[Apply, ...]:
    """A pad that is worked out when the size is known."""
    spans = tuple(reached(k, d) for k, d in zip(kernel, dilation))
    how = {} if value == 0 else {"value": value}
    return (function(call("same_pad", X(), square(spans), stride=square(stride), **how), helpers=(SAME_PAD,)),)
