"""Which layers of Keras become which steps: a function for each class, given its configuration and its inputs."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..layers.arguments import Word
from ..layers.base import LAYERS, Layer
from .growing import SIGNS, NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from .growing import GrowingGraph
    from .keras_config import LayerConfig

    Reads: TypeAlias = "Callable[[KerasLayerUse], tuple[int, ...]]"

SAME, CAUSAL = Word("same"), Word("causal")
_PADDING = {"valid": None, "same": SAME}


class KerasLayerUse(Record):
    """A layer of Keras where it is called: its configuration, the values that it takes, and what else it is given."""

    graph: GrowingGraph
    config: LayerConfig
    inputs: tuple[int, ...]
    given: Mapping[str, Any] = {}

    @property
    def x(self) -> int:
        return self.inputs[0]

    @property
    def rank(self) -> int:
        return len(self.graph.shape(self.inputs[0]))

    def step(self, kind: str, *operands: int, **args: Any) -> tuple[int, ...]:
        """One step: on the inputs of the layer where no values are named, frozen where the layer is."""
        weighted = LAYERS[SIGNS.get(kind, kind)].weights is not Layer.weights
        if weighted and self.config.frozen:
            args["frozen"] = True
        return self.graph.add(kind, operands or self.inputs, args)

    def activated(self, kind: str, *operands: int, **args: Any) -> tuple[int, ...]:
        """A step with an activation behind it: in its own argument where a word says it."""
        word, other = self.config.activation()
        found = self.step(kind, *operands, **args, activation=word)
        return self.graph.add(other[0], found, other[1]) if other is not None else found

    def axis(self, key: str = "axis", default: int = -1) -> int:
        """An axis as the language counts it, without the batch. Raises NotUnderstood."""
        return self.place(self.config.get(key, default))

    def place(self, given: Any) -> int:
        if isinstance(given, list | tuple) and len(given) == 1:
            given = given[0]
        if isinstance(given, bool) or not isinstance(given, int):
            raise NotUnderstood(f"the axis is {given}")
        axis = given - 1 if given >= 0 else given + self.rank
        if not 0 <= axis < self.rank:
            raise NotUnderstood(f"axis {given} is that of the batch")
        return -1 if axis == self.rank - 1 else axis


READS: dict[str, Reads] = {}


def reads(*names: str) -> Callable[[Reads], Reads]:
    """Enters a function for classes of Keras."""

    def enter(function: Reads) -> Reads:
        READS.update(dict.fromkeys(names, function))
        return function

    return enter


def _plainly(kind: str, **renamed: str) -> Reads:
    """A layer that is a step of the same arguments, perhaps under other names."""

    def read(use: KerasLayerUse) -> tuple[int, ...]:
        return use.step(kind, **{ours: use.config.get(theirs) for ours, theirs in renamed.items()})

    return read


# --- dense layers and convolutions --------------------------------------------------------------------------------


@reads("Dense")
def _dense(use: KerasLayerUse) -> tuple[int, ...]:
    units, bias, learned = use.config.size("units"), use.config.get("use_bias", True), use.config.kernels()
    if use.rank > 2:  # on a grid it is a window of one cell
        return use.activated("conv", filters=units, kernel=1, bias=bias, **learned)
    return use.activated("dense", units=units, bias=bias, **learned)


def _window(use: KerasLayerUse, key: str = "kernel_size") -> dict[str, Any]:
    config = use.config
    allowed = {**_PADDING, "causal": CAUSAL} if config.kind == "Conv1D" else _PADDING
    kernel, padding = config.axes(key), config.word("padding", allowed, "valid")
    alone = kernel == 1 or (isinstance(kernel, tuple) and set(kernel) == {1})  # a window of one cell needs no padding
    return {"kernel": kernel, "stride": config.window("strides"), "padding": None if alone else padding}


def _sliding(use: KerasLayerUse) -> dict[str, Any]:
    return {**_window(use), "dilation": use.config.window("dilation_rate"), "bias": use.config.get("use_bias", True)}


@reads("Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D")
def _conv(use: KerasLayerUse) -> tuple[int, ...]:
    config = use.config
    groups, filters = config.size("groups", 1), config.size("filters")
    return use.activated("conv", filters=filters, **_sliding(use), groups=groups, **config.kernels())


@reads("DepthwiseConv1D", "DepthwiseConv2D")
def _depthwise(use: KerasLayerUse) -> tuple[int, ...]:
    multiplier, learned = use.config.size("depth_multiplier", 1), use.config.kernels("depthwise")
    use.config.get("groups")
    use.config.get("filters")
    return use.activated("depthwise_conv", **_sliding(use), multiplier=multiplier, **learned)


@reads("SeparableConv1D", "SeparableConv2D", "SeparableConvolution2D")
def _separable(use: KerasLayerUse) -> tuple[int, ...]:
    config = use.config
    learned, beside = config.kernels("depthwise"), config.kernels("pointwise")
    if learned != beside:
        raise NotUnderstood("its two parts begin, or are held small, in ways of their own")
    config.get("groups")
    multiplier, filters = config.size("depth_multiplier", 1), config.size("filters")
    return use.activated("separable_conv", filters=filters, **_sliding(use), multiplier=multiplier, **learned)


@reads("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "Convolution2DTranspose")
def _transposed(use: KerasLayerUse) -> tuple[int, ...]:
    use.config.must(output_padding=None)
    use.config.get("groups")
    filters = use.config.size("filters")
    return use.activated("conv_transpose", filters=filters, **_sliding(use), **use.config.kernels())


@reads("Embedding")
def _embedding(use: KerasLayerUse) -> tuple[int, ...]:
    config = use.config
    vocabulary, masks = config.size("input_dim"), config.get("mask_zero", False) and not use.given.get("unmasked")
    use.graph.vocabulary(use.x, vocabulary)
    learned = config.kernels("embeddings", "uniform")
    return use.step("embedding", vocabulary=vocabulary, units=config.size("output_dim"), mask=masks, **learned)


# --- pools and grids ----------------------------------------------------------------------------------------------


_POOLS = ("MaxPooling", "MaxPool", "AveragePooling", "AvgPool")


@reads(*(f"{name}{rank}D" for name in _POOLS for rank in (1, 2, 3)))
def _pool(use: KerasLayerUse) -> tuple[int, ...]:
    found = _window(use, "pool_size")
    if use.config.window("pool_size") == found["stride"] or use.config.get("strides") is None:
        found["stride"] = None
    return use.step("maxpool" if use.config.kind.startswith("Max") else "avgpool", **found)


@reads(
    *(f"Global{name}{rank}D" for name in ("MaxPooling", "MaxPool", "AveragePooling", "AvgPool") for rank in (1, 2, 3))
)
def _global_pool(use: KerasLayerUse) -> tuple[int, ...]:
    kind = "global_maxpool" if use.config.kind.startswith("GlobalMax") else "global_avgpool"
    return use.step(kind, keepdims=use.config.get("keepdims", False))


def _pairs(config: LayerConfig, key: str) -> Any:
    """Cells at both ends of each axis: one number where all agree."""
    found = config.get(key, 1)
    items = found if isinstance(found, list | tuple) else [found]
    pairs = tuple(tuple(item) if isinstance(item, list | tuple) else (item, item) for item in items)
    if config.kind.endswith("1D") and isinstance(found, list | tuple) and not isinstance(items[0], list | tuple):
        pairs = (tuple(items),)
    if len({n for pair in pairs for n in pair}) == 1:
        return pairs[0][0]
    return tuple(pair[0] if pair[0] == pair[1] else pair for pair in pairs) if _even(pairs) else pairs


def _even(pairs: Any) -> bool:
    return all(before == after for before, after in pairs)


@reads("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def _zero_padding(use: KerasLayerUse) -> tuple[int, ...]:
    return use.step("pad", amount=_pairs(use.config, "padding"))


@reads("Cropping1D", "Cropping2D", "Cropping3D")
def _cropping(use: KerasLayerUse) -> tuple[int, ...]:
    return use.step("crop", amount=_pairs(use.config, "cropping"))


@reads("UpSampling1D", "UpSampling2D", "UpSampling3D")
def _upsampling(use: KerasLayerUse) -> tuple[int, ...]:
    mode = use.config.word("interpolation", {"nearest": None, "bilinear": Word("bilinear")}, "nearest")
    return use.step("upsample", factor=use.config.window("size", 2), mode=mode)


# --- joins --------------------------------------------------------------------------------------------------------


def _join(kind: str) -> Reads:
    def read(use: KerasLayerUse) -> tuple[int, ...]:
        if len(use.inputs) < 2:
            raise NotUnderstood("it joins one value")
        ranks = {len(use.graph.shape(number)) for number in use.inputs}
        if len(ranks) > 1:
            raise NotUnderstood("it joins values of different ranks, which Keras lines up from the front")
        return use.step(kind)

    return read


READS |= {"Add": _join("+"), "Subtract": _join("sub"), "Multiply": _join("*"), "Average": _join("average")}
READS |= {"Maximum": _join("maximum"), "Minimum": _join("minimum")}


@reads("Concatenate")
def _concat(use: KerasLayerUse) -> tuple[int, ...]:
    return use.step("concat", axis=use.axis())


# --- normalisation ------------------------------------------------------------------------------------------------


def _affine(config: LayerConfig) -> dict[str, Any]:
    return {
        "epsilon": config.number("epsilon", 1e-3),
        "scale": config.get("scale", True),
        "center": config.get("center", True),
    }


@reads("BatchNormalization")
def _batchnorm(use: KerasLayerUse) -> tuple[int, ...]:
    _last(use)
    return use.step("batchnorm", **_affine(use.config), momentum=use.config.number("momentum", 0.99))


def _last(use: KerasLayerUse) -> None:
    if use.axis() != -1:
        raise NotUnderstood(f"it works on axis {use.config.get('axis')}, which is not that of the channels")


@reads("LayerNormalization")
def _layernorm(use: KerasLayerUse) -> tuple[int, ...]:
    use.config.must(rms_scaling=False)
    axes = use.config.get("axis", -1)
    found = tuple(use.place(axis) for axis in (axes if isinstance(axes, list) else [axes]))
    return use.step("layernorm", **_affine(use.config), axes=found if len(found) > 1 else found[0])


@reads("GroupNormalization")
def _groupnorm(use: KerasLayerUse) -> tuple[int, ...]:
    _last(use)
    groups = use.config.size("groups", 32)
    if groups == -1:
        return use.step("instancenorm", **_affine(use.config))
    return use.step("groupnorm", groups=groups, **_affine(use.config))


@reads("RMSNormalization")
def _rmsnorm(use: KerasLayerUse) -> tuple[int, ...]:
    _last(use)
    return use.step("rmsnorm", epsilon=use.config.number("epsilon", 1e-6))


# --- noise --------------------------------------------------------------------------------------------------------


@reads("Dropout")
def _dropout(use: KerasLayerUse) -> tuple[int, ...]:
    rate, shape = use.config.number("rate", 0.5), use.config.get("noise_shape")
    if shape is None:
        return use.step("dropout", rate=rate)
    if tuple(shape[1:]) == (1,) * use.rank:
        return use.step("drop_path", rate=rate)
    if tuple(shape[1:-1]) == (1,) * (use.rank - 1) and shape[-1] in (None, use.graph.shape(use.x)[-1]):
        return use.step("spatial_dropout", rate=rate)
    raise NotUnderstood(f"`noise_shape={shape}` has no counterpart")


READS |= dict.fromkeys(
    ("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), _plainly("spatial_dropout", rate="rate")
)
READS |= {
    "AlphaDropout": _plainly("alpha_dropout", rate="rate"),
    "GaussianDropout": _plainly("gaussian_dropout", rate="rate"),
    "GaussianNoise": _plainly("gaussian_noise", stddev="stddev"),
    "StochasticDepth": _plainly("drop_path", rate="drop_path_rate"),  # of ConvNeXt in keras.applications
}

# --- activations --------------------------------------------------------------------------------------------------


@reads("Activation")
def _activation(use: KerasLayerUse) -> tuple[int, ...]:
    word, other = use.config.activation()
    if other is not None:
        return use.graph.add(other[0], use.inputs, other[1])
    return use.step(str(word)) if word is not None else use.inputs


@reads("ReLU")
def _relu(use: KerasLayerUse) -> tuple[int, ...]:
    use.config.must(threshold=0.0)
    highest, slope = use.config.get("max_value"), use.config.number("negative_slope", 0.0)
    if slope:
        use.config.must(max_value=None)
        return use.step("leaky_relu", slope=slope)
    if highest is None or highest == 6:
        return use.step("relu" if highest is None else "relu6")
    return use.step("clip", low=0, high=highest)


@reads("LeakyReLU")
def _leaky_relu(use: KerasLayerUse) -> tuple[int, ...]:
    key = "alpha" if "alpha" in use.config.values else "negative_slope"
    return use.step("leaky_relu", slope=use.config.number(key, 0.3))


@reads("PReLU")
def _prelu(use: KerasLayerUse) -> tuple[int, ...]:
    shared = use.config.get("shared_axes") or []
    if set(shared) == set(range(1, use.rank)):
        return use.step("prelu")
    if set(shared) == set(range(1, use.rank + 1)):
        return use.step("prelu", shared=True)
    raise NotUnderstood("it has a slope for each place, where `prelu` has one for each channel")


READS |= {"ELU": _plainly("elu", alpha="alpha")}


@reads("Softmax")
def _softmax(use: KerasLayerUse) -> tuple[int, ...]:
    return use.step("softmax", axis=use.axis())


# --- shapes -------------------------------------------------------------------------------------------------------


@reads("Flatten")
def _flatten(use: KerasLayerUse) -> tuple[int, ...]:
    return use.step("flatten") if use.rank != 1 else use.inputs


@reads("Reshape")
def _reshape(use: KerasLayerUse) -> tuple[int, ...]:
    return use.step("reshape", sizes=tuple(use.config.get("target_shape", ())))


@reads("Permute")
def _permute(use: KerasLayerUse) -> tuple[int, ...]:
    return use.step("permute", order=tuple(axis - 1 for axis in use.config.get("dims", ())))


READS |= {"RepeatVector": _plainly("repeat_vector", n="n"), "Identity": lambda use: use.inputs}
