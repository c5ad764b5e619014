"""Dense layers, matrix products, norms over the last axes, tables of vectors, and attention."""

from __future__ import annotations

import math

from ...base.dims import product
from ...base.record import TYPE_CHECKING
from ...layers.arguments import Word
from .arithmetic import together
from .layout import SAMPLES, HeldValue, NoCounterpart
from .program import TensorRef
from .table import first, given, reads
from .windows import scaling, unless

if TYPE_CHECKING:
    from typing import Any

    from .building import Building
    from .program import ProgramNode


@reads("linear")
def _linear(made: Building, node: ProgramNode) -> HeldValue:
    weight, bias = given(node, "weight"), given(node, "bias")
    tensors = {"kernel": made.tensor(weight), "bias": None if bias is None else made.tensor(bias)}
    return dense(made, made.held(first(node)), made.shape(weight)[0], tensors)


@reads("addmm", "mm", "matmul")
def _product(made: Building, node: ProgramNode) -> HeldValue:
    left = given(node, "mat1", given(node, "self"))
    right = given(node, "mat2", given(node, "other"))
    kernel = _kernel_of(made, right)
    if given(node, "alpha", 1) != 1 or given(node, "beta", 1) != 1:
        raise NoCounterpart("a product with factors")
    if kernel is not None and node.target != "matmul":
        bias = None if node.target == "mm" else made.tensor(given(node, "self"))
        return dense(made, made.held(left), made.shape(right)[1], {"kernel": kernel, "bias": bias})
    if node.target == "addmm":
        return together(made, "+", [multiplied(made, left, right), made.held(given(node, "self"))])
    return multiplied(made, left, right)


@reads("bmm")
def _bmm(made: Building, node: ProgramNode) -> HeldValue:
    return multiplied(made, first(node), given(node, "mat2"))


def _kernel_of(made: Building, ref: Any) -> str | None:
    """The tensor that a matrix is the transpose of, if it is one."""
    held = made.values.get(ref.name) if isinstance(ref, TensorRef) else None
    if isinstance(held, HeldValue) and held.number in made.origins and held.axes == ((1,), (0,)):
        return made.origins[held.number]
    return None


def dense(made: Building, held: HeldValue, units: Any, tensors: dict[str, str | None]) -> HeldValue:
    """A dense layer over the framework's last axis."""
    args = {"units": units, "bias": unless(True, tensors["bias"] is not None)}
    held = flat(made, held)
    if len(held.sizes) <= 2:
        return made.one("dense", held, (*held.sizes[:-1], units), args, tensors)
    sizes = (product(held.sizes[:-1]), held.sizes[-1])  # at each place of a grid: one behind the other
    (number,) = made.emit("reshape", (held.number,), (sizes,), {"sizes": sizes})
    (number,) = made.emit("dense", (number,), ((sizes[0], units),), args, tensors)
    back = (*held.sizes[:-1], units)
    return held.replace(number=made.emit("reshape", (number,), (back,), {"sizes": back})[0], sizes=back)


def flat(made: Building, held: HeldValue) -> HeldValue:
    """A value for a dense layer. A flattened grid keeps its channels last: the rows of the kernel are reordered."""
    parts = held.axes[-1]
    rank = len(held.sizes)
    if held.axes[:-1] == ((SAMPLES,),) and rank > 1 and parts == (rank - 1, *range(rank - 1)):
        sizes = (product(held.sizes),)
        (number,) = made.emit("flatten", (held.number,), (sizes,), None, None, held.place or None)
        return HeldValue(number, sizes, ((SAMPLES,), (0,)), held.dtype)
    return made.last(held)


def multiplied(made: Building, left: Any, right: Any) -> HeldValue:
    """The matrix product over the framework's last two axes."""
    a, b = made.held(left), made.held(right)
    if a.rank < 2 or b.rank < 2:
        raise NoCounterpart("a product with a vector")
    x, y = (v if v.batch_axis is None and v.rank == 2 and v.axes == ((0,), (1,)) else made.last(v, 2) for v in (a, b))
    lead = y if x.batch_axis is None and y.batch_axis is not None else x
    if x.batch_axis is not None and y.batch_axis is not None and _front(x) != _front(y):
        raise NoCounterpart("products of matrices that lie along different axes")
    sizes = (*lead.sizes[:-2], x.sizes[-2], y.sizes[-1])
    return lead.replace(number=made.emit("@", (x.number, y.number), (sizes,))[0], sizes=sizes)


def _front(held: HeldValue) -> Any:
    return held.axes[:-2], held.sizes[:-2]


# --- norms ------------------------------------------------------------------------------------------------------------


@reads("layer_norm", "native_layer_norm")
def _layernorm(made: Building, node: ProgramNode) -> tuple[HeldValue | None, ...]:
    count = len(given(node, "normalized_shape"))
    held = made.last(made.held(first(node)), count)
    args, tensors = scaling(made, node)
    axes = None if count == 1 else tuple(range(-count, 0))
    args = {"epsilon": unless(1e-5, given(node, "eps", 1e-5)), **args, "axes": axes}
    return (made.one("layernorm", held, None, args, tensors), *(None,) * (len(node.results) - 1))


@reads("rms_norm", "_fused_rms_norm")
def _rmsnorm(made: Building, node: ProgramNode) -> tuple[HeldValue | None, ...]:
    if len(given(node, "normalized_shape")) != 1:
        raise NoCounterpart("a norm over several axes")
    weight = given(node, "weight")
    if weight is None:
        raise NoCounterpart("a norm without a scale")
    held = made.last(made.held(first(node)))
    epsilon = given(node, "eps")
    epsilon = 2.0**-23 if epsilon is None else epsilon
    args, tensors = {"epsilon": unless(1e-6, epsilon)}, {"scale": made.tensor(weight)}
    return (made.one("rmsnorm", held, None, args, tensors), *(None,) * (len(node.results) - 1))


# --- tables ------------------------------------------------------------------------------------------------------


@reads("embedding")
def _embedding(made: Building, node: ProgramNode) -> HeldValue:
    table, ref = given(node, "weight"), given(node, "indices")
    vocabulary, units = made.shape(table)
    held = made.plain(made.held(ref))
    made.bounded(held.number, vocabulary)
    sizes = (*held.sizes, units)
    args = {"vocabulary": vocabulary, "units": units}
    number = made.emit("embedding", (held.number,), (sizes,), args, {"table": made.tensor(table)})[0]
    return HeldValue(number, sizes, (*held.axes, (len(sizes) - 1,)))


# --- attention ------------------------------------------------------------------------------------------------------


@reads("scaled_dot_product_attention")
def _attention(made: Building, node: ProgramNode) -> HeldValue:
    query, key, value = (made.last(made.held(given(node, n)), 2) for n in ("query", "key", "value"))
    if given(node, "dropout_p", 0):
        raise NoCounterpart("dropout of the weights of attention")
    if given(node, "enable_gqa", False):
        raise NoCounterpart("queries that share keys")
    if not _front(query) == _front(key) == _front(value):
        raise NoCounterpart("queries and keys that lie along different axes")
    scale, size = given(node, "scale"), query.sizes[-1]
    if not isinstance(size, int):
        raise NoCounterpart("a key whose size is a symbol")
    if given(node, "attn_mask") is not None:
        return _masked(made, node, (query, key, value), 1 / math.sqrt(size) if scale is None else scale)
    usual = scale is None or math.isclose(scale, 1 / math.sqrt(size))
    args = {
        "scale": Word("auto") if usual else unless(1, scale),
        "causal": unless(False, given(node, "is_causal", False)),
    }
    sizes = (*query.sizes[:-1], value.sizes[-1])
    numbers = (query.number, value.number, key.number)
    return query.replace(number=made.emit("attention", numbers, (sizes,), args)[0], sizes=sizes)


def _masked(made: Building, node: ProgramNode, values: tuple[HeldValue, ...], scale: Any) -> HeldValue:
    """Attention with numbers that are added to its scores, written out."""
    query, key, value = values
    mask = made.held(given(node, "attn_mask"))
    if made.dtype(given(node, "attn_mask").name) == "bool":
        raise NoCounterpart("a mask of attention")
    turned = (*key.sizes[:-2], key.sizes[-1], key.sizes[-2])
    (flipped,) = made.emit("transpose", (key.number,), (turned,))
    sizes = (*query.sizes[:-1], key.sizes[-2])
    (scores,) = made.emit("@", (query.number, flipped), (sizes,))
    (scaled,) = made.emit("scale", (scores,), (sizes,), {"factor": scale})
    added = together(made, "+", [query.replace(number=scaled, sizes=sizes), mask])
    (weights,) = made.emit("softmax", (added.number,), (sizes,))
    found = (*query.sizes[:-1], value.sizes[-1])
    return query.replace(number=made.emit("@", (weights, value.number), (found,))[0], sizes=found)
