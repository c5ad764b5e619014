"""Arithmetic of windows that slide: padding, output sizes, and how both frameworks are told.

Sizes follow Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (2016);
`same` is TensorFlow's rule: output ceil(n / stride), the odd cell at the end.
"""

from __future__ import annotations

from ..dims import ceil_div, floor_div
from ..pycode import X, call
from ..record import TYPE_CHECKING
from .base import Apply, Helper, Reader, Violation, describe, function, square

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from ..dims import Dim, Shape

    # (before, after) for each spatial axis
    Pads: TypeAlias = "tuple[tuple[int, int], ...]"

_FORMS = "valid, same, causal, a number, one number for each axis, or a pair (before, after) for each axis"


def _amount(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"must be {_FORMS}, not {describe(value)}", "amounts are whole numbers of at least 0")
    return value


def _padding(value: Any) -> Any:
    if isinstance(value, str):
        if value in ("valid", "same", "causal"):
            return value
        lower = value.lower()
        hint = f"write `{lower}`" if lower in ("valid", "same", "causal") else ""
        raise ValueError(f"must be {_FORMS}, not {describe(value)}", hint)
    if isinstance(value, tuple) and value:
        pairs = [v for v in value if isinstance(v, tuple)]
        if not pairs:
            return tuple(_amount(v) for v in value)
        if len(pairs) != len(value) or any(len(p) != 2 for p in pairs):
            raise ValueError(f"must be {_FORMS}, not {describe(value)}", "write ((0, 1), (0, 1)) for two axes")
        return tuple((_amount(a), _amount(b)) for a, b in value)
    return _amount(value)


padding_reader = Reader(_padding, _FORMS, ("valid", "same", "causal"))


def reached(kernel: int, dilation: int) -> int:
    """How many cells a dilated window spans."""
    return dilation * (kernel - 1) + 1


def explicit_pads(padding: Any, rank: int) -> Pads:
    """The amounts of a padding that is written in numbers (or `valid`)."""
    if padding == "valid":
        return ((0, 0),) * rank
    if isinstance(padding, int):
        return ((padding, padding),) * rank
    if len(padding) != rank:
        many = "axis" if rank == 1 else "axes"
        raise Violation(
            "wrong-rank",
            f"`padding` has {len(padding)} amounts, but the input has {rank} spatial {many}",
            "padding",
            help="give one amount for each spatial axis",
        )
    return tuple(p if isinstance(p, tuple) else (p, p) for p in padding)


def pads(
    padding: Any,
    sizes: Shape,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> Pads | None:
    """The amounts on each side; None where they depend on a size that is still a symbol."""
    rank = len(sizes)
    if padding == "causal":
        if rank != 1:
            raise Violation(
                "wrong-rank",
                "`padding=causal` needs one spatial axis, a sequence",
                "padding",
                help="use `same` for images",
            )
        return ((reached(kernel[0], dilation[0]) - 1, 0),)
    if padding != "same":
        return explicit_pads(padding, rank)
    found = []
    for n, k, s, d in zip(sizes, kernel, stride, dilation):
        if s == 1:
            total = reached(k, d) - 1
        elif isinstance(n, int):
            total = max((-(-n // s) - 1) * s + reached(k, d) - n, 0)
        else:
            return None
        found.append((total // 2, total - total // 2))
    return tuple(found)


def window_sizes(
    padding: Any,
    sizes: Shape,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    ceil: bool = False,
) -> tuple[Dim, ...]:
    """Output sizes along the spatial axes.

    `ceil` rounds up, but the last window must start inside the input or its left padding (PyTorch's rule).
    Raises Violation (`window-too-large`) with the arithmetic where nothing is left.
    """
    if padding in ("same", "causal"):
        pads(padding, sizes, kernel, stride, dilation)
        return tuple(ceil_div(n, s) for n, s in zip(sizes, stride))
    amounts = explicit_pads(padding, len(sizes))
    return tuple(
        _size(n, reached(k, d), s, pair, ceil) for n, k, s, d, pair in zip(sizes, kernel, stride, dilation, amounts)
    )


def _size(n: Dim, window: int, stride: int, pair: tuple[int, int], ceil: bool) -> Dim:
    room = n + (sum(pair) - window)
    out = (ceil_div if ceil else floor_div)(room, stride) + 1
    if ceil and isinstance(out, int) and isinstance(n, int) and (out - 1) * stride >= n + pair[0]:
        out -= 1
    if isinstance(out, int) and out <= 0:
        padded = f"2*{pair[0]}" if pair[0] == pair[1] else f"{pair[0]} + {pair[1]}"
        raise Violation(
            "window-too-large",
            f"the window of {window} does not fit into {n}: ({n} - {window} + {padded})/{stride} + 1 = {out}",
            "kernel",
            help=f"use a window of at most {n + sum(pair)}, or pad with `padding=same`",
            label=f"spans {window}",
        )
    return out


def flat(amounts: Pads) -> tuple[int, ...]:
    """The order of `F.pad`: last axis first, before and after."""
    return tuple(n for pair in reversed(amounts) for n in pair)


def torch_pad(amounts: Pads, value: float = 0.0) -> tuple[Apply, ...]:
    """An explicit pad for PyTorch (channels-first), or nothing where all amounts are 0."""
    if not any(n for pair in amounts for n in pair):
        return ()
    how = {} if value == 0 else {"value": value}
    rank = len(amounts)
    make = (
        call(f"nn.ZeroPad{rank}d", flat(amounts))
        if value == 0
        else call(f"nn.ConstantPad{rank}d", flat(amounts), value)
    )
    return (function(call("F.pad", X(), flat(amounts), **how), make),)


def keras_pad(amounts: Pads) -> tuple[Apply, ...]:
    """`ZeroPadding` for Keras, or nothing where all amounts are 0."""
    if not any(n for pair in amounts for n in pair):
        return ()
    each = tuple(pair[0] if pair[0] == pair[1] else pair for pair in amounts)
    size: Any = amounts[0] if len(amounts) == 1 else amounts
    if all(isinstance(e, int) for e in each):
        size = square(each)  # type: ignore[arg-type]  # all are int here
    return (Apply(call(f"layers.ZeroPadding{len(amounts)}D", size)),)


SAME_PAD = Helper(
    "same_pad",
    '''\
def same_pad(x, kernel_size, stride, value=0.0):
    """Pad so that a window gives ceil(n / stride), the odd cell at the end."""
    amounts = []
    for n, k, s in zip(reversed(x.shape[2:]), reversed(kernel_size), reversed(stride)):
        total = max((-(-n // s) - 1) * s + k - n, 0)
        amounts += [total // 2, total - total // 2]
    return F.pad(x, amounts, value=value)
''',
    ("import torch.nn.functional as F",),
)


def torch_same_pad(
    kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], value: float = 0.0
) -> tuple[Apply, ...]:
    """A pad that is worked out when the size is known."""
    spans = tuple(reached(k, d) for k, d in zip(kernel, dilation))
    how = {} if value == 0 else {"value": value}
    return (function(call("same_pad", X(), spans, stride, **how), helpers=(SAME_PAD,)),)
