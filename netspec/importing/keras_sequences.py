"""Layers of Keras over time, attention, and those that hold another layer."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..layers.arguments import Word
from .graph import ImportedStep, ValueRef
from .growing import GrowingGraph, NotUnderstood
from .keras_config import LayerConfig
from .keras_layers import READS as READS
from .keras_layers import KerasLayerUse, reads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SEQUENCE, STATE, LAST = Word("sequence"), Word("state"), Word("last")
_CELLS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn", "ConvLSTM1D": "conv_lstm", "ConvLSTM2D": "conv_lstm"}
_CELLS["ConvLSTM3D"] = "conv_lstm"
_MERGES = {"concat": None, "sum": Word("add"), "mul": Word("mul"), "ave": Word("average"), None: Word("none")}


def _cell(config: LayerConfig) -> tuple[str, dict[str, Any]]:
    """A recurrent layer as a call, but for what it returns. Raises NotUnderstood."""
    kind = _CELLS.get(config.kind)
    if kind is None:
        raise NotUnderstood(f"a {config.kind} is no recurrent layer that the language has")
    config.must(stateful=False, return_state=config.get("return_state", False))
    found: dict[str, Any] = {}
    if kind == "conv_lstm":
        config.must(dilation_rate=config.get("dilation_rate"))
        if config.window("dilation_rate") != 1:
            raise NotUnderstood("`dilation_rate` has no counterpart")
        padding = config.word("padding", {"valid": None, "same": Word("same")}, "valid")
        found |= {"filters": config.size("filters"), "kernel": config.axes("kernel_size")}
        found |= {"stride": config.window("strides"), "padding": padding}
    else:
        found["units"] = config.size("units")
    found["activation"] = _inner(config, "activation", "tanh")
    if kind != "rnn":
        found["recurrent_activation"] = _inner(config, "recurrent_activation", "sigmoid")
    if kind == "gru":
        found["reset_after"] = config.get("reset_after", True)
    found["bias"] = config.get("use_bias", True)
    found |= {"dropout": config.number("dropout", 0), "recurrent_dropout": config.number("recurrent_dropout", 0)}
    config.get("unit_forget_bias")
    return kind, found | config.kernels()


def _inner(config: LayerConfig, key: str, usual: str) -> Word:
    word, other = config.activation(key, usual)
    if other is not None:
        raise NotUnderstood(f"`{key}={config.get(key)}` has no counterpart within a recurrent layer")
    return word or Word("linear")


def _returned(config: LayerConfig) -> Any:
    first = SEQUENCE if config.get("return_sequences", False) else None
    if config.get("return_state", False):
        return (first or LAST, STATE)
    return first


def _initial(given: Mapping[str, Any], inputs: tuple[int, ...]) -> Any:
    """The first state: further inputs, or what the call names."""
    states = given.get("initial_state")
    found = tuple(ValueRef(n) for n in inputs[1:])
    if states is not None:
        found = tuple(states) if isinstance(states, list | tuple) else (states,)
    if not found:
        return None
    if not all(isinstance(state, ValueRef) for state in found):
        raise NotUnderstood("its first state is no value of the model")
    return found if len(found) > 1 else found[0]


def _over_time(use: KerasLayerUse, kind: str, args: dict[str, Any], reverse: bool) -> tuple[int, ...]:
    """A recurrent layer on the first input; what comes out is turned round where Keras does not turn it back."""
    mask = use.given.get("mask")
    if mask is not None and not isinstance(mask, ValueRef):
        raise NotUnderstood("its mask is no value of the model")
    found = use.step(kind, use.x, **args, mask=mask)
    if reverse:
        return use.graph.add("reverse", found[:1])[:1] + found[1:]
    return found


@reads(*_CELLS)
def _recurrent(use: KerasLayerUse) -> tuple[int, ...]:
    config = use.config
    kind, args = _cell(config)
    reverse = config.get("go_backwards", False)
    args |= {"return": _returned(config), "reverse": reverse, "initial": _initial(use.given, use.inputs)}
    return _over_time(use, kind, args, reverse and bool(config.get("return_sequences", False)))


@reads("Bidirectional")
def _bidirectional(use: KerasLayerUse) -> tuple[int, ...]:
    config = use.config
    inner, other = (_held(config, key) for key in ("layer", "backward_layer"))
    assert inner is not None
    kind, args = _cell(inner)
    inner.get("go_backwards")
    args["return"] = _returned(inner)
    inner.done()
    if inner.get("go_backwards", False):
        raise NotUnderstood("its layer runs backwards itself")
    if other is not None and _cell(other) != (kind, {n: v for n, v in args.items() if n != "return"}):
        raise NotUnderstood("its two directions are layers of different kinds")
    if use.given.get("initial_state") is not None or len(use.inputs) > 1:
        args["initial"] = _initial(use.given, use.inputs)
    if use.given.get("mask") is not None:
        args["mask"] = use.given["mask"]
    merge = config.word("merge_mode", _MERGES, None) if "merge_mode" in config.values else None
    step = ImportedStep(kind, tuple((n, v) for n, v in args.items() if v is not None), (), ())
    return use.step("bidirectional", use.x, step=step, merge=merge)


def _held(config: LayerConfig, key: str) -> LayerConfig | None:
    """The layer that a wrapper holds."""
    given = config.get(key)
    if not isinstance(given, dict):
        return None
    return LayerConfig(str(given.get("class_name")), given.get("config", {}), config.notes)


# done to each step of a sequence as it is
_ON_STEPS = frozenset(
    ["Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "Dropout", "BatchNormalization", "LayerNormalization"]
)


@reads("TimeDistributed")
def _time_distributed(use: KerasLayerUse) -> tuple[int, ...]:
    inner = _held(use.config, "layer")
    if inner is None or inner.kind not in READS:
        kind = "nothing" if inner is None else inner.kind
        raise NotUnderstood(f"`TimeDistributed` of {kind} has no counterpart")
    if inner.kind in _ON_STEPS and use.rank == 2:
        found = READS[inner.kind](use.replace(config=inner))
        inner.done()
        return found
    alone = GrowingGraph()
    at = alone.value(use.graph.shape(use.x)[1:])
    use.given.get("mask")
    results = READS[inner.kind](KerasLayerUse(alone, inner, (at,)))
    inner.done()
    if len(alone.steps) != 1 or len(results) != 1:
        raise NotUnderstood(f"`TimeDistributed` of {inner.kind} is more than one step here")
    step = alone.steps[0].replace(operands=(), results=())
    return use.graph.applied("each_step", use.inputs, step, (use.graph.shape(use.x)[0], *alone.shape(results[0])))


# --- attention ----------------------------------------------------------------------------------------------------


@reads("MultiHeadAttention", "MultiHeadAttention".lower())
def _multihead(use: KerasLayerUse) -> tuple[int, ...]:
    config = use.config
    heads, size = config.size("num_heads"), config.size("key_dim")
    config.must(output_shape=None, value_dim=size, use_gate=False, sliding_window=None, flash_attention=None)
    if config.get("attention_axes") not in (None, [1], 1, (1,)) or use.rank != 2:
        raise NotUnderstood("it attends along other axes than the first")
    _unmasked(use, "query_mask", "value_mask", "key_mask", "attention_mask")
    values = [*use.inputs, *_named(use, "query", "value", "key")]
    if len(values) == 3 and values[2] == values[1]:
        values.pop()
    if len(values) == 2 and values[0] == values[1]:
        values.pop()
    width = use.graph.shape(values[0])[-1]
    causal = bool(use.given.get("use_causal_mask", False))
    rate, bias = config.number("dropout", 0.0), config.get("use_bias", True)
    key = None if size * heads == width else size
    return use.step("multihead_attention", *values, heads=heads, key_size=key, causal=causal, bias=bias, dropout=rate)


def _named(use: KerasLayerUse, *names: str) -> list[int]:
    return [use.given[n].number for n in names if isinstance(use.given.get(n), ValueRef)]


def _unmasked(use: KerasLayerUse, *names: str) -> None:
    for name in names:
        if use.given.get(name) is not None:
            raise NotUnderstood(f"`{name}` has no counterpart")


@reads("Attention")
def _attention(use: KerasLayerUse) -> tuple[int, ...]:
    use.config.must(use_scale=False, score_mode="dot", dropout=0.0)
    causal = bool(use.given.get("use_causal_mask", False))
    return use.step("attention", causal=causal)
