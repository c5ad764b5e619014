"""Forms: how the weights of a net stand in files, as netspec spells them, or as a framework does."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..ir.paths import weight_table
from .doubts import refuse_doubts
from .table import WeightsError, check_weights
from .targets import Target, keras_target, torch_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ..ir.types import CheckedNet
    from ..layers.base import Array, Weight


class FileFormat(Record):
    """The weights of one net in files.

    `shapes` are the arrays that a file must hold, by their names there; `beside` says which others it may hold
    (counters, the state of random numbers). `layers` tells for groups of arrays what the layer is called, where files
    say so. `take` makes the weights of the net from the arrays of a file. `turned` are the names of arrays that another
    form keeps otherwise, such as kernels: under a name of that form they would be taken for what they are not.
    """

    shapes: Mapping[str, tuple[int, ...]]
    take: Callable[[Mapping[str, Array]], dict[str, Array]]
    beside: Callable[[str], bool] = lambda _name: False
    layers: Mapping[str, str] = {}
    turned: frozenset[str] = frozenset()


def _turned(weights: Iterable[tuple[str, Weight]]) -> frozenset[str]:
    """The names, of weights by name, whose arrays are not the same in all forms."""
    return frozenset(name for name, weight in weights if weight.torch.turns or weight.keras.turns)


def _netspec(net: CheckedNet, _style: str) -> FileFormat:
    """The canonical form: paths of the spec, axes of the language. Raises WeightsError where sizes are not known."""
    table = weight_table(net)
    try:
        shapes = {path: weight.sizes for path, weight in table.items()}
    except ValueError as error:
        raise WeightsError([str(error)]) from None
    return FileFormat(shapes, lambda arrays: {path: arrays[path] for path in shapes}, turned=_turned(table.items()))


def _torch(net: CheckedNet, style: str) -> FileFormat:
    """The names and axes of the `state_dict` of a module of the usual kind. Raises SpecError (`unknown-order`) where
    weights may belong elsewhere."""
    refuse_doubts(net)
    return _built(net, style)


def _built(net: CheckedNet, _style: str) -> FileFormat:
    """The names and axes of the `state_dict` of the generated module."""
    from ..runtime.torch_model import is_counter

    spelling = torch_target(net).spelling
    places = {path: place for place, path in enumerate(weight_table(net))}
    spelling = spelling.replace(held=tuple(sorted(spelling.held, key=lambda held: places[held.path])))
    turned = _turned((name, held.weight) for held in spelling.held for name in (held.key, held.plus) if name)
    return FileFormat(spelling.shapes, spelling.take, is_counter, turned=turned)


def _keras(net: CheckedNet, style: str) -> FileFormat:
    """The datasets that Keras writes for the generated model of this style."""
    target = keras_target(net, style)
    keys, layers = model_of(net, target).stored()
    shapes = {name: target.spelling.shapes[key] for name, key in keys.items() if key}

    def take(arrays: Mapping[str, Array]) -> dict[str, Array]:
        return target.spelling.take({keys[name]: array for name, array in arrays.items()})

    def beside(name: str) -> bool:
        return name.startswith("optimizer/") or keys.get(name) == ""

    weights = {held.key: held.weight for held in target.spelling.held}
    return FileFormat(shapes, take, beside, layers, _turned((name, weights[key]) for name, key in keys.items() if key))


FORMS: dict[str, Callable[[CheckedNet, str], FileFormat]] = {
    "netspec": _netspec,
    "torch": _torch,
    "keras": _keras,
    "built": _built,
}


def target_of(net: CheckedNet, form: str, style: str) -> Target:
    """The generated code that a framework's form goes with. Raises SpecError as the form does."""
    if form == "torch":
        refuse_doubts(net)
    return keras_target(net, style) if form == "keras" else torch_target(net)


def model_of(
    net: CheckedNet, target: Target, dtype: str = "float32", weights: Mapping[str, Array] | None = None
) -> Any:
    """The model of generated code, its weights initialised, or set to these. WeightsError where they do not fit."""
    from .samples import example

    if weights is not None:
        check_weights(net, weights)
    model = target.model(lambda: example(net), dtype)
    if weights is not None:
        model.load(target.spelling.put(weights))
    return model
