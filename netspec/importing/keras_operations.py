"""What Keras does to numbers in a functional model: operators and `keras.ops`, and layers that rescale."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from .graph import ValueRef
from .growing import NotUnderstood
from .keras_layers import KerasLayerUse, reads

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# parts of a value that are put side by side, where each channel has a number of its own
_MOST_CHANNELS = 4


# --- a number for all, or one for each channel --------------------------------------------------------------------


def _affine(use: KerasLayerUse, x: int, factor: float, offset: float) -> int:
    if factor != 1:
        x = use.graph.one("scale", (x,), {"factor": factor})
    return use.graph.one("shift", (x,), {"amount": offset}) if offset else x


def _by_channel(use: KerasLayerUse, count: int, how: Callable[[int, int], int]) -> tuple[int, ...]:
    """Something done to each channel, and all of them side by side. Raises NotUnderstood."""
    channels = use.graph.shape(use.x)[-1]
    if channels != count or count > _MOST_CHANNELS:
        raise NotUnderstood(f"it has a number for each of {count} channels")
    parts = [how(use.graph.one("slice", (use.x,), {"": (..., slice(n, n + 1, None))}), n) for n in range(count)]
    return (use.graph.one("concat", parts),)


@reads("Rescaling")
def _rescaling(use: KerasLayerUse) -> tuple[int, ...]:
    scale, offset = (_numbers(use, key, usual) for key, usual in (("scale", 1.0), ("offset", 0.0)))
    if len(scale) == len(offset) == 1:
        return (_affine(use, use.x, scale[0], offset[0]),)
    count = max(len(scale), len(offset))
    scale, offset = (list(n) * (count if len(n) == 1 else 1) for n in (scale, offset))
    return _by_channel(use, count, lambda x, n: _affine(use, x, scale[n], offset[n]))


def _numbers(use: KerasLayerUse, key: str, usual: float) -> list[float]:
    found = use.config.get(key, usual)
    if isinstance(found, dict):
        found = found.get("config", {}).get("value", found)
    items = found if isinstance(found, list | tuple) else [found]
    while len(items) == 1 and isinstance(items[0], list | tuple):
        items = items[0]
    if not items or not all(isinstance(n, int | float) and not isinstance(n, bool) for n in items):
        raise NotUnderstood(f"`{key}` is {found}")
    return list(items)


@reads("Normalization")
def _normalization(use: KerasLayerUse) -> tuple[int, ...]:
    """(x - mean) / max(sqrt(variance), 1e-7), where the statistics are numbers of the model or of its file."""
    use.config.must(invert=False)
    if use.config.get("mean") is None:
        if use.axis() != -1:
            raise NotUnderstood("its statistics are not those of the channels")
        # 1e-14 is the square of what Keras keeps the deviation above
        return use.step("batchnorm", epsilon=1e-14, scale=False, center=False, frozen=True)
    use.config.get("axis")
    mean, variance = (_numbers(use, key, 0.0) for key in ("mean", "variance"))

    def normal(x: int, n: int) -> int:
        shifted = use.graph.one("shift", (x,), {"amount": -mean[n]}) if mean[n] else x
        return use.graph.one("scale", (shifted,), {"factor": 1 / max(variance[n] ** 0.5, 1e-7)})

    if len(mean) == len(variance) == 1:
        return (normal(use.x, 0),)
    return _by_channel(use, len(mean), normal)


@reads("LayerScale")
def _layer_scale(use: KerasLayerUse) -> tuple[int, ...]:
    """A learned factor for each channel: of ConvNeXt in keras.applications."""
    begin, sizes = use.config.number("init_values", 1e-6), (use.config.size("projection_dim"),)
    gamma = use.graph.weight(f"{use.config.name}_gamma", sizes, init=begin, frozen=use.config.frozen)
    return (use.graph.one("*", (use.x, gamma)),)


@reads("CustomScaleLayer")
def _scaled_sum(use: KerasLayerUse) -> tuple[int, ...]:
    """The first value and a share of the second: of Inception-ResNet in keras.applications."""
    scaled = use.graph.one("scale", use.inputs[1:2], {"factor": use.config.number("scale", 1.0)})
    return (use.graph.one("+", (use.x, scaled)),)


# --- keras.ops ----------------------------------------------------------------------------------------------------

_SIGNS = {"Add": "+", "Subtract": "-", "Multiply": "*", "Divide": "/", "TrueDivide": "/", "Power": "**"}
_WITH_NUMBER: dict[tuple[str, bool], Callable[[float], tuple[str, dict[str, Any]]]] = {
    ("+", False): lambda n: ("shift", {"amount": n}),
    ("+", True): lambda n: ("shift", {"amount": n}),
    ("-", False): lambda n: ("shift", {"amount": -n}),
    ("-", True): lambda n: ("complement", {"of": n}),
    ("*", False): lambda n: ("scale", {"factor": n}),
    ("*", True): lambda n: ("scale", {"factor": n}),
    ("/", False): lambda n: ("scale", {"factor": 1 / n}),
    ("**", False): lambda n: ("power", {"exponent": n}),
}


def operation(use: KerasLayerUse, arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """An operation of `keras.ops` on values and numbers. Raises NotUnderstood."""
    kind = use.config.kind
    sign = _SIGNS.get(kind)
    if sign is not None and len(arguments) == 2:
        return _arithmetic(use, sign, arguments)
    found = _OPERATIONS.get(kind)
    if found is None:
        raise NotUnderstood(f"`keras.ops` `{kind}` has no counterpart in the reader")
    return found(use, arguments)


def _arithmetic(use: KerasLayerUse, sign: str, arguments: tuple[Any, ...]) -> tuple[int, ...]:
    numbers = [a for a in arguments if isinstance(a, int | float) and not isinstance(a, bool)]
    if len(use.inputs) == 2:
        ranks = [len(use.graph.shape(n)) for n in use.inputs]
        if ranks[0] != ranks[1]:
            raise NotUnderstood("it joins values of different ranks")
        return use.graph.add(sign, use.inputs)
    made = _WITH_NUMBER.get((sign, isinstance(arguments[1], ValueRef)))
    if len(numbers) != 1 or made is None or not (numbers[0] or sign != "/"):
        raise NotUnderstood("it takes an array that is no value of the model")
    return use.graph.add(made(numbers[0])[0], use.inputs, made(numbers[0])[1])


def _get_item(use: KerasLayerUse, arguments: tuple[Any, ...]) -> tuple[int, ...]:
    items = arguments[1] if isinstance(arguments[1], list | tuple) else (arguments[1],)
    found = [_item(item) for item in items]
    if found[:1] == [slice(None)]:
        found = found[1:]
    elif found[:1] != [...]:
        raise NotUnderstood("it cuts the batch")
    if all(item == slice(None) or item is ... for item in found):
        return use.inputs
    return use.graph.add("slice", use.inputs, {"": tuple(found)})


def _item(item: Any) -> Any:
    kind = item.get("class_name") if isinstance(item, dict) else None
    if kind == "__ellipsis__":
        return ...
    if kind == "__slice__":
        inner = item.get("config", {})
        bounds = tuple(inner.get(key) for key in ("start", "stop", "step"))
        if all(n is None or isinstance(n, int) for n in bounds):
            return slice(*bounds)
    if isinstance(item, int) and not isinstance(item, bool):
        return item
    raise NotUnderstood("a part of it is not picked by whole numbers")


def _reduction(kind: str) -> Callable[[KerasLayerUse, tuple[Any, ...]], tuple[int, ...]]:
    def read(use: KerasLayerUse, _arguments: tuple[Any, ...]) -> tuple[int, ...]:
        axis = use.config.get("axis")
        if axis is None:
            raise NotUnderstood("it goes over the batch, too")
        listed = axis if isinstance(axis, list | tuple) else [axis]
        places = tuple(use.place(n) for n in listed)
        where = places if len(places) > 1 else places[0]
        return use.graph.add(kind, use.inputs, {"axis": where, "keepdims": use.config.get("keepdims", False)})

    return read


def _plain(kind: str) -> Callable[[KerasLayerUse, tuple[Any, ...]], tuple[int, ...]]:
    return lambda use, _arguments: use.graph.add(kind, use.inputs)


def _along(kind: str) -> Callable[[KerasLayerUse, tuple[Any, ...]], tuple[int, ...]]:
    return lambda use, _arguments: use.graph.add(kind, use.inputs, {"axis": use.axis()})


def _concatenate(use: KerasLayerUse, _arguments: tuple[Any, ...]) -> tuple[int, ...]:
    return use.graph.add("concat", use.inputs, {"axis": use.axis("axis", 0)})


def _compared(use: KerasLayerUse, arguments: tuple[Any, ...]) -> tuple[int, ...]:
    number = arguments[1] if len(arguments) == 2 else None
    if len(use.inputs) != 1 or isinstance(number, bool) or not isinstance(number, int | float):
        raise NotUnderstood("it compares what is no value with a number")
    return use.graph.add("not_equal", use.inputs, {"to": number})


_ALIKE = "Relu Relu6 Sigmoid Tanh Softplus Softsign Selu Mish Exp Log Sqrt Square Abs Sin Cos Floor Ceil Round Sign Erf"
_OPERATIONS: dict[str, Callable[[KerasLayerUse, tuple[Any, ...]], tuple[int, ...]]] = {
    **{name: _plain(name.lower()) for name in _ALIKE.split()},
    **{name: _plain(kind) for name, kind in (("Silu", "silu"), ("Absolute", "abs"), ("Rsqrt", "rsqrt"))},
    **{name: _plain(kind) for name, kind in (("HardSigmoid", "hard_sigmoid"), ("HardSilu", "hard_silu"))},
    **{name: _reduction(name.lower()) for name in ("Mean", "Sum", "Max", "Min", "Var", "Std")},
    **{name: _along(kind) for name, kind in (("Softmax", "softmax"), ("LogSoftmax", "log_softmax"))},
    **{name: _plain(name.lower()) for name in ("Maximum", "Minimum")},
    "GetItem": _get_item,
    "Concatenate": _concatenate,
    "NotEqual": _compared,
    "Matmul": _plain("@"),
}
