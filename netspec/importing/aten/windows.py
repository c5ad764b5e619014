"""Operators on grids `(N, C, spatial...)`: convolutions, pools, norms over channels, and grids of other sizes."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...layers.arguments import Word
from .layout import HeldValue, NoCounterpart, channels_last, placed
from .program import TensorRef
from .sizes import ratio
from .table import first, given, reads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...base.dims import Dim, Shape
    from .building import Building
    from .program import ProgramNode


def on_grid(made: Building, ref: Any, spatial: int | None = None) -> HeldValue:
    """A value as `(N, C, spatial...)`, which is `[spatial..., C]`."""
    held = made.held(ref)
    if held.batch_axis != 0:
        raise NoCounterpart("a grid without a batch axis in front")
    if spatial is not None and held.rank != spatial + 2:
        raise NoCounterpart(f"{held.rank - 2} spatial axes in place of {spatial}")
    return made.arranged(held, channels_last(held.rank))


def gridded(made: Building, node: ProgramNode, number: int, place: int = 0) -> HeldValue:
    """What comes out of an operator on grids."""
    shape = made.shape(_result(node, place))
    order = channels_last(len(shape))
    return HeldValue(number, tuple(shape[n] for n in order), placed(order, 0), made.dtype(node.results[place]))


def _result(node: ProgramNode, place: int) -> Any:
    return TensorRef(node.results[place])


def sizes_out(made: Building, node: ProgramNode) -> Shape:
    """The sizes that an operator on grids gives, channels last."""
    shape = made.shape(_result(node, 0))
    return tuple(shape[n] for n in channels_last(len(shape)))


def grid_step(
    made: Building,
    node: ProgramNode,
    held: HeldValue,
    kind: str,
    args: dict[str, Any],
    tensors: dict[str, str | None] | None = None,
) -> HeldValue:
    """A step of an operator on grids."""
    return gridded(made, node, made.emit(kind, (held.number,), (sizes_out(made, node),), args, tensors)[0])


def spread(value: Any, rank: int) -> tuple[Any, ...]:
    """One number for each spatial axis."""
    items = tuple(value) if isinstance(value, tuple | list) else (value,)
    return items * rank if len(items) == 1 else items


def window(value: Any, rank: int) -> Any:
    """The size of a window: a number on a sequence, `3x3` on a grid."""
    items = spread(value, rank)
    return items[0] if rank == 1 else items


def brief(value: Any, rank: int) -> Any:
    """One number where it is the same for each axis."""
    items = spread(value, rank)
    return items[0] if len(set(items)) == 1 else items


def unless(usual: Any, value: Any) -> Any:
    """A value, or None where it is the usual one."""
    return None if value == usual and isinstance(value, bool) is isinstance(usual, bool) else value


# --- convolutions -------------------------------------------------------------------------------------------------


@reads("conv1d", "conv2d", "conv3d", grid=True)
def _conv(made: Building, node: ProgramNode) -> HeldValue:
    return convolved(made, node, given(node, "padding", 0))


@reads("convolution", grid=True)
def _convolution(made: Building, node: ProgramNode) -> HeldValue:
    if given(node, "transposed"):
        return spread_out(made, node)
    return convolved(made, node, given(node, "padding", 0))


def convolved(made: Building, node: ProgramNode, padding: Any) -> HeldValue:
    kernel = made.shape(given(node, "weight"))
    rank = len(kernel) - 2
    x = on_grid(made, first(node), rank)
    groups, channels = given(node, "groups", 1), x.sizes[-1]
    args = {
        "kernel": window(kernel[2:], rank),
        "stride": unless(1, brief(given(node, "stride", 1), rank)),
        "padding": Word(padding) if isinstance(padding, str) else unless(0, brief(padding, rank)),
        "dilation": unless(1, brief(given(node, "dilation", 1), rank)),
        "bias": unless(True, given(node, "bias") is not None),
    }
    if args["padding"] == "valid":
        args["padding"] = None
    tensors = _kernel(made, node)
    if groups == channels and groups > 1:
        multiplier = ratio(kernel[0], groups)
        return grid_step(made, node, x, "depthwise_conv", {**args, "multiplier": unless(1, multiplier)}, tensors)
    return grid_step(made, node, x, "conv", {"filters": kernel[0], **args, "groups": unless(1, groups)}, tensors)


def _kernel(made: Building, node: ProgramNode) -> dict[str, str | None]:
    bias = given(node, "bias")
    return {"kernel": made.tensor(given(node, "weight")), "bias": None if bias is None else made.tensor(bias)}


@reads("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", grid=True)
def _transposed(made: Building, node: ProgramNode) -> HeldValue:
    return spread_out(made, node)


def spread_out(made: Building, node: ProgramNode) -> HeldValue:
    """A transposed convolution."""
    kernel = made.shape(given(node, "weight"))
    rank = len(kernel) - 2
    x = on_grid(made, first(node), rank)
    groups = given(node, "groups", 1)
    args = {
        "filters": kernel[1] * groups,
        "kernel": window(kernel[2:], rank),
        "stride": unless(1, brief(given(node, "stride", 1), rank)),
        "padding": brief(given(node, "padding", 0), rank),
        "output_padding": unless(0, brief(given(node, "output_padding", 0), rank)),
        "dilation": unless(1, brief(given(node, "dilation", 1), rank)),
        "groups": unless(1, groups),
        "bias": unless(True, given(node, "bias") is not None),
    }
    return grid_step(made, node, x, "conv_transpose", args, _kernel(made, node))


# --- pools --------------------------------------------------------------------------------------------------------


def _pool(made: Building, node: ProgramNode) -> tuple[HeldValue, dict[str, Any]]:
    x = on_grid(made, first(node))
    rank = x.rank - 2
    kernel = window(given(node, "kernel_size"), rank)
    stride = given(node, "stride") or kernel
    args = {
        "kernel": kernel,
        "stride": unless(brief(kernel, rank), brief(stride, rank)),
        "padding": unless(0, brief(given(node, "padding", 0), rank)),
        "rounding": Word("ceil") if given(node, "ceil_mode", False) else None,
    }
    return x, args


_MAX = [f"max_pool{n}d{end}" for n in (1, 2, 3) for end in ("", "_with_indices")]


@reads(*_MAX, grid=True)
def _maxpool(made: Building, node: ProgramNode) -> tuple[HeldValue | None, ...]:
    x, args = _pool(made, node)
    if set(spread(given(node, "dilation", 1), 1)) != {1}:
        raise NoCounterpart("a pool with dilation")
    if len(node.results) > 1 and any(name in made.users for name in node.results[1:]):
        raise NoCounterpart("the places of the largest numbers")
    return (grid_step(made, node, x, "maxpool", args), *(None,) * (len(node.results) - 1))


@reads("avg_pool1d", "avg_pool2d", "avg_pool3d", grid=True)
def _avgpool(made: Building, node: ProgramNode) -> HeldValue:
    x, args = _pool(made, node)
    if given(node, "divisor_override") is not None:
        raise NoCounterpart("a divisor that is given")
    if args["padding"] is not None and given(node, "count_include_pad", True):
        args["count_padding"] = True
    return grid_step(made, node, x, "avgpool", args)


_VIEWS = {"flatten", "view", "reshape", "squeeze", "unsafe_view", "_unsafe_view", "unflatten"}


@reads(*(f"{p}adaptive_{k}_pool{n}d" for p in ("", "_") for k in ("avg", "max") for n in (1, 2, 3)), grid=True)
def _adaptive(made: Building, node: ProgramNode) -> tuple[HeldValue | None, ...]:
    x = on_grid(made, first(node))
    rank = x.rank - 2
    word = "avgpool" if "avg" in node.target else "maxpool"
    sizes = spread(given(node, "output_size"), rank)
    if len(node.results) > 1 and any(name in made.users for name in node.results[1:]):
        raise NoCounterpart("the places of the largest numbers")
    rest = (None,) * (len(node.results) - 1)
    if set(sizes) == {1}:
        return (globally(made, node, x, f"global_{word}", is_flattened(made, node)), *rest)
    sizes = tuple(have if n is None else n for n, have in zip(sizes, x.sizes))
    if sizes == x.sizes[:-1]:
        return (x, *rest)
    args = {"size": brief(sizes, rank) if rank == 1 else sizes}
    return (grid_step(made, node, x, f"adaptive_{word}", args), *rest)


def is_flattened(made: Building, node: ProgramNode) -> bool:
    """True if nobody takes the spatial axes of one cell that come out."""
    users = made.users.get(node.results[0], [])
    while len(users) == 1 and users[0].target in ("dropout", "clone", "contiguous"):
        users = made.users.get(users[0].results[0], [])
    return all(user.target in _VIEWS for user in users)


def globally(made: Building, node: ProgramNode, x: HeldValue, kind: str, drops: bool) -> HeldValue:
    """One number for each channel; the framework keeps axes of one cell, which are there where they are not dropped."""
    channels = x.sizes[-1:]
    if drops:
        (number,) = made.emit(kind, (x.number,), (channels,))
        return HeldValue(number, channels, (x.axes[0], (0,), *((),) * (x.rank - 2)), x.dtype)
    return grid_step(made, node, x, kind, {"keepdims": True})


# --- norms over channels --------------------------------------------------------------------------------------------

_EPSILON = 1e-5


def scaling(made: Building, node: ProgramNode) -> tuple[dict[str, Any], dict[str, str | None]]:
    """The arguments and tensors of a norm that may scale and shift."""
    weight, bias = given(node, "weight"), given(node, "bias")
    args = {"scale": unless(True, weight is not None), "center": unless(True, bias is not None)}
    tensors = {
        "gamma": None if weight is None else made.tensor(weight),
        "beta": None if bias is None else made.tensor(bias),
    }
    return args, tensors


@reads("batch_norm", "_native_batch_norm_legit_no_training", "_native_batch_norm_legit", "native_batch_norm", grid=True)
def _batchnorm(made: Building, node: ProgramNode) -> tuple[HeldValue | None, ...]:
    x = on_grid(made, first(node))
    mean, variance = given(node, "running_mean"), given(node, "running_var")
    if mean is None or variance is None:
        raise NoCounterpart("a batch norm without running statistics")
    args, tensors = scaling(made, node)
    tensors |= {"mean": made.tensor(mean), "variance": made.tensor(variance)}
    epsilon, momentum = given(node, "eps", _EPSILON), round(1 - given(node, "momentum", 0.1), 12)
    args = {"epsilon": unless(_EPSILON, epsilon), **args, "momentum": unless(0.9, momentum)}
    return (made.one("batchnorm", x, None, args, tensors), *(None,) * (len(node.results) - 1))


@reads("instance_norm", grid=True)
def _instancenorm(made: Building, node: ProgramNode) -> HeldValue:
    x = on_grid(made, first(node))
    if not given(node, "use_input_stats", True):
        raise NoCounterpart("an instance norm with running statistics")
    args, tensors = scaling(made, node)
    args = {"epsilon": unless(_EPSILON, given(node, "eps", _EPSILON)), **args}
    return made.one("instancenorm", x, None, args, tensors)


@reads("group_norm", "native_group_norm", grid=True)
def _groupnorm(made: Building, node: ProgramNode) -> tuple[HeldValue | None, ...]:
    x = on_grid(made, first(node))
    args, tensors = scaling(made, node)
    groups = given(node, "num_groups", given(node, "group"))
    args = {"groups": unless(32, groups), "epsilon": unless(_EPSILON, given(node, "eps", _EPSILON)), **args}
    return (made.one("groupnorm", x, None, args, tensors), *(None,) * (len(node.results) - 1))


# --- grids of other sizes -------------------------------------------------------------------------------------------


def _factors(made: Building, node: ProgramNode, x: HeldValue) -> Any:
    """How many times as fine a grid becomes, on each axis. Raises NoCounterpart where that is no whole number."""
    scales = [
        s for s in (*_listed(node, "scale_factors"), *(given(node, f"scales{e}") for e in ("", "_d", "_h", "_w"))) if s
    ]
    sizes = sizes_out(made, node)[:-1]
    found: Sequence[Dim | None] = [ratio(after, before) for after, before in zip(sizes, x.sizes)]
    if scales and all(float(s).is_integer() for s in scales):
        found = [int(s) for s in scales]
    if not all(isinstance(n, int) and n >= 1 for n in found) or len(found) != len(sizes):
        raise NoCounterpart("a grid that does not become a whole number of times as fine")
    return brief(tuple(found), len(found))


def _listed(node: ProgramNode, name: str) -> tuple[Any, ...]:
    value = given(node, name)
    return tuple(value) if isinstance(value, tuple | list) else ()


_NEAREST = [f"upsample_nearest{n}d" for n in (1, 2, 3)]
_LINEAR = ["upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"]


@reads(*_NEAREST, *(f"_upsample_nearest_exact{n}d" for n in (1, 2, 3)), grid=True)
def _nearest(made: Building, node: ProgramNode) -> HeldValue:
    x = on_grid(made, first(node))
    return grid_step(made, node, x, "upsample", {"factor": _factors(made, node, x)})


@reads(*_LINEAR, grid=True)
def _bilinear(made: Building, node: ProgramNode) -> HeldValue:
    x = on_grid(made, first(node))
    if given(node, "align_corners"):
        raise NoCounterpart("interpolation between the corners")
    return grid_step(made, node, x, "upsample", {"factor": _factors(made, node, x), "mode": Word("bilinear")})


@reads("pixel_shuffle", grid=True)
def _pixel_shuffle(made: Building, node: ProgramNode) -> HeldValue:
    x = on_grid(made, first(node), 2)
    r = given(node, "upscale_factor")
    height, width, channels = sizes_out(made, node)
    before = (x.sizes[0], x.sizes[1], channels, r, r)
    (cut,) = made.emit("reshape", (x.number,), (before,), {"sizes": before})
    after = (x.sizes[0], r, x.sizes[1], r, channels)
    (turned,) = made.emit("permute", (cut,), (after,), {"order": (0, 3, 1, 4, 2)})
    sizes = (height, width, channels)
    return gridded(made, node, made.emit("reshape", (turned,), (sizes,), {"sizes": sizes})[0])


@reads("pixel_unshuffle", grid=True)
def _pixel_unshuffle(made: Building, node: ProgramNode) -> HeldValue:
    x = on_grid(made, first(node), 2)
    r = given(node, "downscale_factor")
    height, width, channels = sizes_out(made, node)
    before = (height, r, width, r, x.sizes[2])
    (cut,) = made.emit("reshape", (x.number,), (before,), {"sizes": before})
    after = (height, width, x.sizes[2], r, r)
    (turned,) = made.emit("permute", (cut,), (after,), {"order": (0, 2, 4, 1, 3)})
    sizes = (height, width, channels)
    return gridded(made, node, made.emit("reshape", (turned,), (sizes,), {"sizes": sizes})[0])


@reads("channel_shuffle", "native_channel_shuffle", grid=True)
def _channel_shuffle(made: Building, node: ProgramNode) -> HeldValue:
    return made.one("channel_shuffle", on_grid(made, first(node)), None, {"groups": given(node, "groups")})


_MODES = {"constant": None, "reflect": Word("reflect"), "replicate": Word("edge")}


@reads(
    "pad",
    "constant_pad_nd",
    "reflection_pad1d",
    "reflection_pad2d",
    "replication_pad1d",
    "replication_pad2d",
    grid=True,
)
def _pad(made: Building, node: ProgramNode) -> HeldValue:
    amounts = given(node, "pad", given(node, "padding"))
    mode = given(node, "mode", {"ref": "reflect", "rep": "replicate"}.get(node.target[:3], "constant"))
    held = made.held(first(node))
    if mode not in _MODES or any(not isinstance(n, int) for n in amounts):
        raise NoCounterpart(f"padding of the kind {mode}")
    pairs = [tuple(amounts[n : n + 2]) for n in range(0, len(amounts), 2)][::-1]
    pairs = [(0, 0)] * (held.rank - len(pairs)) + pairs
    padded = [n for n, pair in enumerate(pairs) if any(pair)]
    if not padded:
        return held
    inside = held if all(p not in held.order()[-1:] for p in padded) and len(held.sizes) == held.rank - 1 else None
    x = made.plain(inside) if inside is not None else on_grid(made, first(node))
    order = x.order()
    if min(min(pair) for pair in pairs) < 0 or x.batch_axis in padded or order[-1] in padded or len(order) < 2:
        raise NoCounterpart("padding of channels, or less than none")
    each = tuple(pairs[t] for t in order[:-1])
    amount: Any = tuple(pair[0] if pair[0] == pair[1] else pair for pair in each)
    amount = brief(amount, len(amount)) if all(isinstance(n, int) for n in amount) else each
    sizes = tuple(size + sum(pairs[t]) for size, t in zip(x.sizes, order))
    value = given(node, "value")
    return made.one("pad", x, sizes, {"amount": amount, "mode": _MODES[mode], "value": value or None})
