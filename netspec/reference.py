"""The reference: a whole net in NumPy, float64, each layer by its own definition. It decides where frameworks differ.

Weights are held in the language's order under their paths, such as `layer1.0.conv1.kernel`.
"""

from __future__ import annotations

from .base.record import TYPE_CHECKING
from .ir.paths import path_of, paths_of, weight_path
from .ir.types import BlockCall, Step, applied
from .layers.cell_uses import Run
from .weights.table import check_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .ir.types import Body, CheckedNet, Item
    from .layers.base import Array


class InputError(ValueError):
    """Inputs do not fit a net."""


class Reference:
    """A net with weights, to be called on arrays.

    Inputs are given by place or by name, each with a batch axis in front and the channels last. What comes out is an
    array, or for a net of several outputs a dict of arrays by name. Raises InputError where the inputs do not fit.
    """

    def __init__(self, net: CheckedNet, weights: Mapping[str, Any]) -> None:
        import numpy as np

        check_weights(net, weights)
        self.net = net
        self.known: dict[int, dict[int, str]] = {}  # the paths within each body
        self.weights = {path: np.asarray(array, np.float64) for path, array in weights.items()}

    def __call__(self, *values: Any, **named: Any) -> Any:
        outputs = self.outputs(*values, **named)
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def outputs(self, *values: Any, **named: Any) -> dict[str, Array]:
        """The outputs by name."""
        names = (result.name for result in self.net.net.body.outputs)
        return dict(zip(names, self.listed(*values, **named)))

    def listed(self, *values: Any, **named: Any) -> list[Array]:
        """The outputs in their order."""
        body = self.net.net.body
        held = self._inputs(values, named)
        self._body(body, "", held)
        return [held[result.value.number] for result in body.outputs]

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

    def _body(self, body: Body, prefix: str, held: dict[int, Array]) -> None:
        """Run a body; `held` are its values by number."""
        self._items(body.items, prefix, self._paths(body), held)

    def _paths(self, body: Body) -> dict[int, str]:
        if id(body) not in self.known:
            self.known[id(body)] = paths_of(body)
        return self.known[id(body)]

    def _items(self, items: Sequence[Item], prefix: str, paths: dict[int, str], held: dict[int, Array]) -> None:
        for item in items:
            if isinstance(item, Step):
                results = self._step(item, prefix + paths[id(item)], held)
                held.update((t.number, y) for t, y in zip(item.outputs, results))
            elif isinstance(item, BlockCall):
                self._call(item, f"{prefix}{paths[id(item)]}.", held)
            else:
                self._items(item.items, prefix, paths, held)

    def _step(self, step: Step, path: str, held: dict[int, Array]) -> tuple[Array, ...]:
        weights = {w.name: self.weights[weight_path(path, w)] for w in step.weights}
        xs = tuple(held[t.number] for t in step.inputs)
        result = step.layer.reference(_for_samples(xs, [t.batched for t in step.inputs]), weights)
        results = _several(result)
        return results if step.output.batched or not xs else tuple(y[0] for y in results)

    def _call(self, call: BlockCall, prefix: str, held: dict[int, Array]) -> None:
        if isinstance(call.use, Run):
            self._run(call, call.use, prefix, held)
            return
        body = call.body
        inner = {port.value.number: held[t.number] for port, t in zip(body.inputs, call.inputs)}
        self._body(body, prefix, inner)
        for outer, result in zip(call.outputs, body.outputs):
            held[outer.number] = inner[result.value.number]

    def _run(self, call: BlockCall, use: Run, prefix: str, held: dict[int, Array]) -> None:
        """Run a cell over the steps of a sequence."""
        import numpy as np

        x, *state = (held[t.number] for t in call.inputs)
        state = state or self._first(call.body, x[:, 0], prefix)
        outputs = [state[0]] * x.shape[1]
        for t in reversed(range(x.shape[1])) if use.reverse else range(x.shape[1]):
            values = dict(zip((p.value.number for p in call.body.inputs), (x[:, t], *state)))
            self._body(call.body, prefix, values)
            outputs[t], *state = (values[r.value.number] for r in call.body.outputs)
        found = {"sequence": [np.stack(outputs, 1)], "last": [outputs[0 if use.reverse else -1]], "state": state}
        results = (array for word in use.returns for array in found[word])
        held.update((t.number, array) for t, array in zip(call.outputs, results))

    def _first(self, body: Body, x: Array, prefix: str) -> list[Array]:
        """What the states of a cell are before the first step."""
        paths, values = self._paths(body), {body.inputs[0].value.number: x}
        alike = [item for item in applied(body.held) if not item.outputs[0].batched]
        self._items(alike, prefix, paths, values)
        for start in body.starts:
            if isinstance(start, BlockCall):
                inner = f"{prefix}{path_of(start, '', '')}."
                values.update(zip((t.number for t in start.outputs), self._first(start.body, x, inner)))
            else:
                arrays = tuple(values[t.number] for t in start.inputs)
                values.update(zip((start.output.number,), _several(start.layer.reference(arrays, {}))))
        return [values[state.start.number] for state in body.states]


def _several(result: Array | tuple[Array, ...]) -> tuple[Array, ...]:
    return result if isinstance(result, tuple) else (result,)


def _for_samples(xs: Sequence[Array], batched: Sequence[bool]) -> tuple[Array, ...]:
    """Values with a batch axis each: what is the same for every sample is there for each, or for a single one."""
    import numpy as np

    count = next((len(x) for x, has in zip(xs, batched) if has), 1)
    return tuple(x if has else np.broadcast_to(x, (count, *x.shape)) for x, has in zip(xs, batched))


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
