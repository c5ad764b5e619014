"""The reference: a whole net in NumPy, float64, each layer by its own definition. It decides where frameworks differ.

Weights are held in the language's order under their paths, such as `layer1.0.conv1.kernel`.
"""

from __future__ import annotations

from .diagnostics import did_you_mean
from .ir import Call, Scope, Step, path_of
from .record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .ir import Body, CheckedNet, Item
    from .layers.base import Array, Weight


class WeightsError(ValueError):
    """Weights do not fit a net. `problems` says which are missing, extra or of another shape."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class InputError(ValueError):
    """Inputs do not fit a net."""


def weight_table(net: CheckedNet) -> dict[str, Weight]:
    """All weights of a net by path, in the order of the language; shared ones once."""
    found: dict[str, Weight] = {}
    for row in net.layers:
        step = row.node
        if isinstance(step, Step):
            for weight in step.layer.weights(*(t.shape for t in step.inputs)):
                found.setdefault(f"{row.path}.{weight.name}", weight)
    return found


def check_weights(net: CheckedNet, weights: Mapping[str, Any]) -> None:
    """Hold weights against a net. Raises WeightsError with all that does not fit."""
    table = weight_table(net)
    problems = [f"`{path}` is missing" for path in table if path not in weights]
    for path, array in weights.items():
        if path not in table:
            hint = did_you_mean(path, table)
            problems.append(f"`{path}` is not a weight of {net.name}" + (f" ({hint})" if hint else ""))
        elif tuple(array.shape) != table[path].shape:
            problems.append(f"`{path}` is {list(array.shape)}, but should be {list(table[path].shape)}")
    if problems:
        raise WeightsError(problems)


class Reference:
    """A net with weights, to be called on arrays.

    Inputs are given by place or by name, each with a batch axis in front and the channels last. What comes out is an
    array, or for a net of several outputs a dict of arrays by name. Raises InputError where the inputs do not fit.
    """

    def __init__(self, net: CheckedNet, weights: Mapping[str, Any]) -> None:
        import numpy as np

        check_weights(net, weights)
        self.net = net
        self.weights = {path: np.asarray(array, np.float64) for path, array in weights.items()}

    def __call__(self, *values: Any, **named: Any) -> Any:
        outputs = self.outputs(*values, **named)
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def outputs(self, *values: Any, **named: Any) -> dict[str, Array]:
        """The outputs by name."""
        body = self.net.net.body
        held = self._inputs(values, named)
        self._items(body.items, "", "", held)
        return {result.name: held[result.value.number] for result in body.outputs}

    def _inputs(self, values: tuple[Any, ...], named: dict[str, Any]) -> dict[int, Array]:
        import numpy as np

        ports = self.net.net.body.inputs
        if len(values) > len(ports):
            raise InputError(f"net {self.net.name} has {len(ports)} inputs, not {len(values)}")
        given = {port.name: value for port, value in zip(ports, values)}
        odd = sorted(set(named) & set(given)) or sorted(set(named) - {p.name for p in ports})
        if odd:
            raise InputError(f"`{odd[0]}` is given twice or is no input of net {self.net.name}")
        given |= named
        held: dict[int, Array] = {}
        sizes: dict[str, int] = {}
        batches: set[int] = set()
        for port in ports:
            if port.name not in given:
                raise InputError(f"the input `{port.name}` is missing")
            integers = port.value.dtype.startswith("int")
            array = np.asarray(given[port.name], np.int64 if integers else np.float64)
            _fits(port.name, array.shape, port.value.shape, sizes)
            batches.add(array.shape[0])
            held[port.value.number] = array
        if len(batches) > 1:
            raise InputError(f"the inputs have different batch sizes: {sorted(batches)}")
        return held

    def _items(self, items: Sequence[Item], prefix: str, home: str, held: dict[int, Array]) -> None:
        for item in items:
            if isinstance(item, Step):
                held[item.output.number] = self._step(item, path_of(item, prefix, home), held)
            elif isinstance(item, Call):
                self._call(item, path_of(item, prefix, home), held)
            else:
                self._items(item.items, _inside(item, prefix), home, held)

    def _step(self, step: Step, path: str, held: dict[int, Array]) -> Array:
        xs = tuple(held[t.number] for t in step.inputs)
        weights = step.layer.weights(*(t.shape for t in step.inputs))
        return step.layer.reference(xs, {w.name: self.weights[f"{path}.{w.name}"] for w in weights})

    def _call(self, call: Call, path: str, held: dict[int, Array]) -> None:
        body: Body = call.body
        inner = {port.value.number: held[t.number] for port, t in zip(body.inputs, call.inputs)}
        self._items(body.items, f"{path}.", f"{path}.", inner)
        for outer, result in zip(call.outputs, body.outputs):
            held[outer.number] = inner[result.value.number]


def _inside(scope: Scope, prefix: str) -> str:
    return f"{prefix}{scope.name}." if scope.name else prefix


def _fits(name: str, actual: tuple[int, ...], wanted: tuple[Any, ...], sizes: dict[str, int]) -> None:
    """Hold an array's shape against the one that was declared; a symbol is the same size everywhere."""
    shown = f"`{name}` should be [batch, {', '.join(str(d) for d in wanted)}], not {list(actual)}"
    if len(actual) != len(wanted) + 1:
        raise InputError(shown)
    for have, want in zip(actual[1:], wanted):
        if isinstance(want, int):
            if have != want:
                raise InputError(shown)
        elif sizes.setdefault(str(want), have) != have:
            raise InputError(f"{shown}; `{want}` was {sizes[str(want)]} before")
