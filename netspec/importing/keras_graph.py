"""Keras models as graphs: functional and sequential ones, and those that are layers of others.

Read is what `model.to_json()` says, of Keras 3 and of Keras 2; Keras itself is not needed, and no code in it is run.
"""

from __future__ import annotations

import re
from heapq import heappop, heappush

from ..base.dims import symbol
from ..base.record import TYPE_CHECKING
from .graph import ImportedModel, ImportedStep, ModuleLevel, ValueRef
from .growing import GrowingGraph, NotUnderstood
from .keras_config import LayerConfig
from .keras_layers import KerasLayerUse
from .keras_operations import operation
from .keras_sequences import READS as READS
from .keras_tensors import arguments_of, calls_of, history_of, listed, shapes_in, tensors_in
from .levels import has_weights, snake, taken_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..base.dims import Shape

_MODELS = ("Functional", "Model", "Sequential")
# models within models
_DEEPEST = 20
# what takes no notice of which steps are padding, or the same as the language does; all else that has a mask is told of
_HEEDS = frozenset(
    ["GlobalAveragePooling1D", "GlobalAvgPool1D", "MultiHeadAttention", "Attention", "AdditiveAttention", "Softmax"]
)
_CELLS = ("LSTM", "GRU", "SimpleRNN", "Bidirectional")
_OVER_TIME = (*_CELLS, "TimeDistributed")
_MASKED = frozenset(
    [
        "Dense",
        "Dropout",
        "SpatialDropout1D",
        "Activation",
        "ReLU",
        "LeakyReLU",
        "ELU",
        "PReLU",
        "LayerNormalization",
        "BatchNormalization",
        "TimeDistributed",
        "GaussianNoise",
        "GaussianDropout",
        "AlphaDropout",
        "Identity",
    ]
)


class BadModel(ValueError):
    """A text is no Keras model, or none of a kind that can be read."""


def graph_of(model: Mapping[str, Any]) -> ImportedModel:
    """The graph of a model from its configuration. Raises BadModel."""
    if not isinstance(model, dict) or model.get("class_name") not in _MODELS:
        kind = model.get("class_name") if isinstance(model, dict) else type(model).__name__
        raise BadModel(
            f"a model of the class {kind} says nothing of its layers: only functional and sequential models do"
        )
    reading = _KerasReading()
    try:
        try:
            names = reading.whole(model)
        except _MaskLostError:
            reading = _KerasReading(explicit=True)
            names = reading.whole(model)
    except BadModel:
        raise
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:  # of another form throughout
        raise BadModel(f"it is no Keras model that can be read: {type(error).__name__} at {error}") from None
    grown = reading.grown
    title = str(model["config"].get("name", "model")) if isinstance(model["config"], dict) else "model"
    notes = tuple(_merged(reading.notes))
    if any(_is_automatic(title, kind) for kind in _MODELS):
        title = "model"
    steps = _needed(grown.steps, [number for _, number in names])
    return ImportedModel(title, tuple(grown.inputs), steps, tuple(names), notes)


def _needed(steps: Sequence[ImportedStep], outputs: Sequence[int]) -> tuple[ImportedStep, ...]:
    """The steps without those that nothing comes of, such as a mask that the language hands on by itself."""
    wanted = set(outputs)
    found: list[ImportedStep] = []
    for step in reversed(steps):
        if has_weights(step) or not wanted.isdisjoint(step.results):
            wanted.update(taken_by(step))
            found.append(step)
    return tuple(reversed(found))


def _merged(notes: Sequence[str]) -> list[str]:
    """Each thing that is said of several layers once, with the first of them."""
    found: dict[str, list[str]] = {}
    for note in notes:
        name, _, text = note.partition(": ")
        found.setdefault(text, []).append(name)
    return [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {text}" for text, names in found.items()
    ]


def _is_automatic(name: str, kind: str) -> bool:
    """Has Keras made up the name of a layer from its class?"""
    return bool(re.fullmatch(rf"{re.escape(snake(kind))}(_\d+)?", name))


class _MaskLostError(Exception):
    """A mask does not reach a layer that it would reach here."""


class _KerasReading:
    """One model on its way to a graph."""

    def __init__(self, explicit: bool = False) -> None:
        self.explicit = explicit  # are masks values of the model, and not handed on by themselves?
        self.padded: set[int] = set()  # sequences that hold other numbers where steps are padding than ours
        self.grown = GrowingGraph()
        self.notes: list[str] = []
        self.owners: list[str] = []  # the models that this one is in, by the names that they have there
        self.before: dict[int, Shape | None] = {}  # the shape before a step that was not understood, by its value
        self.old = False  # is it written down as Keras 2 did, without masks?
        self.repeated = 0  # models that are called more than once, and that this is in
        self.masks: dict[int, int] = {}  # by value, the whole numbers of which 0 is padding
        self.compared: dict[int, int] = {}  # by value, what it is that was compared with 0

    def whole(self, model: Mapping[str, Any]) -> list[tuple[str, int]]:
        """The model itself: its inputs become those of the net."""
        layers = listed(model["config"])
        if model["class_name"] == "Sequential":
            results = self.sequence(layers, self._first(layers), ())
            return [("", results[0])]
        values = self.functional(model["config"], None, ())
        outputs = history_of(model["config"]["output_layers"])
        for key in outputs:
            if values[key] in self.padded:
                values[key] = self._repeats(values[key])
        if len(outputs) == 1:
            return [("", values[outputs[0]])]
        return [(name, values[name, node, place]) for name, node, place in outputs]

    def _repeats(self, value: int) -> int:
        """A sequence that comes out, whose padded steps are others here."""
        what = "PaddedSteps: the padded steps of a sequence that comes out repeat the last output"
        return self.grown.unknown(what, (value,), [self.grown.shape(value)])[0]

    def _first(self, layers: Sequence[Mapping[str, Any]]) -> int:
        inner = layers[0]["config"]
        shape = inner.get("batch_shape") or inner.get("batch_input_shape")
        if shape is None:
            raise BadModel("a sequential model that has not been built says nothing of its input")
        named = str(inner.get("name", "x")) if layers[0]["class_name"] == "InputLayer" else "x"
        return self._input(named, shape, str(inner.get("dtype", "float32")))

    def _input(self, called: str, shape: Sequence[Any], dtype: str) -> int:
        used = {str(s) for port in self.grown.inputs for s in port.shape if isinstance(s, str)}
        usual = {3: ("H", "W", "C"), 4: ("D", "H", "W", "C"), 1: ("T",), 2: ("T", "C")}.get(len(shape) - 1, ())
        names = [usual[n] if n < len(usual) else f"N{n}" for n in range(len(shape) - 1)]
        number = 1
        while any(size is None and name in used for size, name in zip(shape[1:], names)):
            number += 1
            names = [f"{n.rstrip('0123456789')}{number}" for n in names]
        sizes: Shape = tuple(symbol(n) if size is None else int(size) for size, n in zip(shape[1:], names))
        kind = "bool" if dtype == "bool" else "int" if "int" in dtype else "float32"
        if _is_automatic(called, "InputLayer") or _is_automatic(called, "Input"):
            called = "image" if len(sizes) == 3 else "x"
        return self.grown.port(called, sizes, kind)

    # --- models -------------------------------------------------------------------------------------------------

    def sequence(
        self, layers: Sequence[Mapping[str, Any]], value: int, path: tuple[ModuleLevel, ...]
    ) -> tuple[int, ...]:
        """The layers of a sequential model, one behind the other."""
        results: tuple[int, ...] = (value,)
        for layer in layers:
            if layer["class_name"] != "InputLayer":
                results = self.layer(layer, (results[0],), {}, (), path)
        return results

    def functional(
        self, config: Mapping[str, Any], given: Sequence[int] | None, path: tuple[ModuleLevel, ...]
    ) -> dict[tuple[str, int, int], int]:
        """The values of a functional model, by layer, call and place. Its inputs are `given`, or the net's."""
        values: dict[tuple[str, int, int], int] = {}
        layers = {str(layer["name"]): layer for layer in listed(config)}
        for place, key in enumerate(history_of(config["input_layers"])):
            inner = layers[key[0]]["config"]
            shape = inner.get("batch_shape") or inner.get("batch_input_shape")
            values[key] = (
                given[place] if given is not None else self._input(key[0], shape, str(inner.get("dtype", "float32")))
            )
        calls = [(name, n, call) for name, layer in layers.items() for n, call in enumerate(calls_of(layer))]
        lacking: dict[tuple[str, int, int], list[int]] = {}
        ready = list(range(len(calls)))
        done = 0
        while ready:
            place = heappop(ready)
            name, n, call = calls[place]
            lost = next((key for key in tensors_in(call) if key not in values), None)
            if lost is not None:
                lacking.setdefault(lost, []).append(place)
                continue
            done += 1
            for result, value in enumerate(self._call(layers[name], call, values, path)):
                values[name, n, result] = value
                for other in lacking.pop((name, n, result), ()):
                    heappush(ready, other)
        if done < len(calls):
            name, node, _ = next(iter(lacking))
            raise BadModel(f"a layer takes what call {node} of `{name}` gives, which is none")
        return values

    def _call(
        self,
        layer: Mapping[str, Any],
        call: Any,
        values: Mapping[tuple[str, int, int], int],
        path: tuple[ModuleLevel, ...],
    ) -> tuple[int, ...]:
        self._recorded(call, values)
        self.old = not isinstance(call, dict)
        arguments, named = arguments_of(call, values)
        flat: list[int] = []
        for argument in arguments:
            items = argument if isinstance(argument, list | tuple) else (argument,)
            flat += [item.number for item in items if isinstance(item, ValueRef)]
        return self.layer(layer, tuple(flat), named, tuple(arguments), path)

    def _recorded(self, call: Any, values: Mapping[tuple[str, int, int], int]) -> None:
        """Take the shape that the model tells for what came out of a step that was not understood."""
        for key, shape in shapes_in(call):
            number = values[key]
            if self.grown.shapes[number] is None and all(isinstance(size, int) for size in shape[1:]):
                self.grown.shapes[number] = tuple(shape[1:])

    def _guessed(self, layer: Mapping[str, Any], inputs: Sequence[int]) -> None:
        """Take the shapes that a layer was built for, where its inputs come from steps that were not understood.

        Where the model does not tell, a shape is taken to stay as it was before that step: a guess, for what stands
        behind a fault.
        """
        built = layer.get("build_config") or {}
        shape = built.get("input_shape") if isinstance(built, dict) else None
        for number in inputs:
            if self.grown.shapes[number] is not None:
                continue
            told = isinstance(shape, list) and len(inputs) == 1 and all(isinstance(n, int) for n in shape[1:])
            self.grown.shapes[number] = tuple(shape[1:]) if told and shape else self.before.get(number)

    # --- layers -------------------------------------------------------------------------------------------------

    def layer(
        self,
        layer: Mapping[str, Any],
        inputs: tuple[int, ...],
        named: Mapping[str, Any],
        arguments: tuple[Any, ...],
        path: tuple[ModuleLevel, ...],
    ) -> tuple[int, ...]:
        """One layer called; what it gives. What is not understood becomes a step that says so."""
        inner = layer["config"] if isinstance(layer["config"], dict) else {}
        name = str(layer.get("name") or inner.get("name") or layer["class_name"])
        kind = str(layer["class_name"])
        own = kind in _MODELS or not _is_automatic(name, kind)
        here = (*path, ModuleLevel(name if own or self._is_shared(layer) else "", kind))
        if layer["class_name"] in _MODELS:
            if len(here) > _DEEPEST:
                raise BadModel(f"models stand within one another, more than {_DEEPEST} deep")
            return self._model(layer, inputs, here)
        self._guessed(layer, inputs)
        config = LayerConfig(kind, {"name": name, **inner}, self.notes)
        self.grown.path = here
        self.grown.owner = "/".join((*self.owners, name))
        before = len(self.grown.steps)
        use = KerasLayerUse(self.grown, config, inputs, {**named, **({"unmasked": True} if self.explicit else {})})
        try:
            results = self._understood(layer, use, arguments)
        except NotUnderstood as reason:
            del self.grown.steps[before:]
            results = self.grown.unknown(f"{kind}: {reason}", inputs, [None])
            self.before[results[0]] = self.grown.shapes[inputs[0]] if inputs else None
        return results

    def _is_shared(self, layer: Mapping[str, Any]) -> bool:
        return len(calls_of(layer)) > 1 or self.repeated > 0

    def _model(
        self, layer: Mapping[str, Any], inputs: tuple[int, ...], path: tuple[ModuleLevel, ...]
    ) -> tuple[int, ...]:
        config = layer["config"]
        self.repeated += self._is_shared(layer)
        self.owners.append(path[-1].name)
        if layer["class_name"] == "Sequential":
            results = self.sequence(listed(config), inputs[0], path)
        else:
            values = self.functional(config, inputs, path)
            results = tuple(values[key] for key in history_of(config["output_layers"]))
        self.repeated -= self._is_shared(layer)
        self.owners.pop()
        return results

    def _understood(self, layer: Mapping[str, Any], use: KerasLayerUse, arguments: tuple[Any, ...]) -> tuple[int, ...]:
        module = str(layer.get("module") or "")
        use = self._unmasked(use)
        if ".ops." in module:
            results = operation(use, arguments)
            if use.config.kind == "NotEqual":
                self.compared[results[0]] = use.x
            return results
        own = module and not module.startswith(("keras.", "tensorflow.", "tf_keras")) and module != "keras"
        read = None if own else READS.get(use.config.kind)
        if read is None:
            raise NotUnderstood("it is code of its own" if own or module else "no layer that the reader knows")
        if not use.inputs:
            raise NotUnderstood("it is called on no value")
        self._told(use)
        results = read(use)
        use.config.done()
        self._mask(use, results)
        return results

    def _unmasked(self, use: KerasLayerUse) -> KerasLayerUse:
        """The call without a mask that the language hands on by itself. Raises NotUnderstood."""
        takes = use.config.kind in _OVER_TIME
        if any(n in self.padded for n in use.inputs) and not (takes and use.given.get("mask") is not None):
            raise NotUnderstood("it takes the padded steps of a sequence, which repeat the last output there")
        if use.config.kind in _HEEDS and any(n in self.masks for n in use.inputs):
            raise NotUnderstood("it leaves out steps that are padding")
        mask = use.given.get("mask")
        inner = {k: v for k, v in use.given.items() if k not in ("training", "mask") and v is not None}
        if mask is None:
            if takes and use.x in self.masks and not self.old:
                raise _MaskLostError
            return use.replace(given=inner)
        if isinstance(mask, ValueRef) and self.compared.get(mask.number, -1) == self.masks.get(use.x, -2):
            return use.replace(given=inner)
        return use.replace(given={**inner, "mask": mask})

    def _told(self, use: KerasLayerUse) -> None:
        """What a call is given beside values must have a place. Raises NotUnderstood."""
        known = {
            "initial_state",
            "query",
            "value",
            "key",
            "use_causal_mask",
            "attention_mask",
            "return_attention_scores",
        }
        known |= {"query_mask", "value_mask", "key_mask", "unmasked"}
        takes_mask = use.config.kind in _OVER_TIME
        for name, value in use.given.items():
            if value and (name not in known | ({"mask"} if takes_mask else set()) or name.startswith("return_")):
                raise NotUnderstood(f"it is called with `{name}`")

    def _mask(self, use: KerasLayerUse, results: tuple[int, ...]) -> None:
        """Which values have a mask now."""
        kind = use.config.kind
        if kind == "Embedding" and use.config.get("mask_zero", False) and not self.explicit:
            self.masks[results[0]] = use.x
        sequence = kind in _CELLS and len(self.grown.shape(results[0])) > 1
        masked = use.given.get("mask") is not None or any(n in self.masks for n in use.inputs)
        if sequence and masked and not use.config.get("zero_output_for_mask", kind == "Bidirectional"):
            self.padded.add(results[0])
        masks = {self.masks[n] for n in use.inputs if n in self.masks}
        if masks and (kind in _MASKED or sequence or kind in ("Add", "Concatenate", "Multiply", "Average")):
            self.masks[results[0]] = min(masks)
