"""Operators that do the same to each number, and those that take no part in inference."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING, Record
from ...layers.arguments import Word
from .layout import HeldValue, NoCounterpart
from .table import first, given, reads
from .windows import unless

if TYPE_CHECKING:
    from typing import Any

    from .building import Building
    from .program import ProgramNode


class Pointwise(Record):
    """The layer that an operator is. `args` has for each argument of the layer the operator's, with the layer's own
    default; of `fixed` arguments only one value can be said."""

    kind: str
    args: tuple[tuple[str, str, Any, Any], ...] = ()
    fixed: tuple[tuple[str, Any], ...] = ()


def _same(*names: str) -> dict[str, Pointwise]:
    return {name: Pointwise(name) for name in names}


# by operator: the layer, and (its argument, the operator's, PyTorch's default, the layer's default)
POINTWISE: dict[str, Pointwise] = {
    **_same("relu", "relu6", "sigmoid", "tanh", "silu", "selu", "mish", "log_sigmoid", "exp", "log", "log2", "log1p"),
    **_same("expm1", "abs", "sqrt", "rsqrt", "reciprocal", "square", "sin", "cos", "erf", "floor", "ceil", "sign"),
    **_same("round", "logical_not"),
    "hardswish": Pointwise("hard_swish"),
    "hardsigmoid": Pointwise("hard_sigmoid"),
    "leaky_relu": Pointwise("leaky_relu", (("slope", "negative_slope", 0.01, 0.01),)),
    "elu": Pointwise("elu", (("alpha", "alpha", 1.0, 1.0),), (("scale", 1), ("input_scale", 1))),
    "celu": Pointwise("celu", (("alpha", "alpha", 1.0, 1.0),)),
    "softplus": Pointwise("softplus", (), (("beta", 1), ("threshold", 20))),
    "hardshrink": Pointwise("hard_shrink", (("threshold", "lambd", 0.5, 0.5),)),
    "softshrink": Pointwise("soft_shrink", (("threshold", "lambd", 0.5, 0.5),)),
    "threshold": Pointwise("threshold", (("threshold", "threshold", None, None), ("value", "value", None, None))),
    "dropout": Pointwise("dropout", (("rate", "p", 0.5, None),)),
    "native_dropout": Pointwise("dropout", (("rate", "p", 0.5, None),)),
    "alpha_dropout": Pointwise("alpha_dropout", (("rate", "p", 0.5, None),)),
    "feature_dropout": Pointwise("spatial_dropout", (("rate", "p", 0.5, None),)),
}


@reads(*POINTWISE)
def _pointwise(made: Building, node: ProgramNode) -> HeldValue:
    found = POINTWISE[node.target]
    for name, only in found.fixed:
        if given(node, name, only) != only:
            raise NoCounterpart(f"{name}={given(node, name)}")
    args = {ours: unless(usual, given(node, theirs, default)) for ours, theirs, default, usual in found.args}
    held = made.held(first(node))
    if "rate" in args and args["rate"] == 0:
        return held
    return made.one(found.kind, held, None, args)


@reads("neg")
def _neg(made: Building, node: ProgramNode) -> HeldValue:
    return made.one("scale", made.held(first(node)), None, {"factor": -1})


@reads("gelu")
def _gelu(made: Building, node: ProgramNode) -> HeldValue:
    return made.one(
        "gelu", made.held(first(node)), None, {"approximate": unless(False, given(node, "approximate") == "tanh")}
    )


@reads("hardtanh", "clamp", "clip", "clamp_min", "clamp_max")
def _clip(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    usual = (-1.0, 1.0) if node.target == "hardtanh" else (None, None)
    low, high = (given(node, a, given(node, b, n)) for a, b, n in zip(("min_val", "max_val"), ("min", "max"), usual))
    if not all(n is None or isinstance(n, int | float) for n in (low, high)):
        raise NoCounterpart("bounds that are values")
    known = {(0, 6): "relu6", (-1, 1): "hard_tanh", (0, None): "relu"}
    if (low, high) in known:
        return made.one(known[low, high], held)
    return made.one("clip", held, None, {"low": low, "high": high})


@reads("prelu", "_prelu_kernel")
def _prelu(made: Building, node: ProgramNode) -> HeldValue:
    held, weight = made.held(first(node)), given(node, "weight")
    shared = made.shape(weight)[0] == 1
    if not shared:
        held = made.arranged(held, [*(t for t in held.order() if t != 1), 1])
    return made.one("prelu", held, None, {"shared": unless(False, shared)}, {"alpha": made.tensor(weight)})


# --- what hands on its value ------------------------------------------------------------------------------------------

_FLOATS = ("float32", "float64", "float16", "bfloat16")


@reads("contiguous", "clone", "alias", "detach", "lift_fresh_copy", "lift_fresh", "positive")
def _identity(made: Building, node: ProgramNode) -> HeldValue:
    return made.held(first(node))


@reads("to", "_to_copy", "type_as")
def _cast(made: Building, node: ProgramNode) -> HeldValue:
    held = made.held(first(node))
    before, after = (made.dtype(name) for name in (first(node).name, node.results[0]))
    if before == after or (before in _FLOATS and after in _FLOATS):
        return held
    words = {"float32": "float", "int64": "int", "int32": "int32", "float64": "float64", "bool": "bool"}
    if after not in words:
        raise NoCounterpart(f"numbers of the type {after}")
    return made.one("cast", held.replace(dtype=after), None, {"to": Word(words[after])})
