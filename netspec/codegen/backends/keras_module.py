"""What all forms of Keras code share: the words of the framework, inputs, names, the text of a file."""

from __future__ import annotations

from ...base.record import TYPE_CHECKING
from ...layers.arguments import Unsupported
from ...layers.base import Apply, Helper, Use, function
from ...layers.shapes import known
from ...pycode.doc import lay_out
from ...pycode.expr import Attr, Call, Index, Made, Star, X, call, unless
from ..lowering.lower import Lowering, refuse
from .module import module_text, speaks_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...base.dims import Shape
    from ...ir.types import BlockCall, Body, CheckedNet, Port, Step
    from ...layers.base import At
    from ...layers.cell_uses import CellForm
    from ...pycode.expr import Code

# names that generated code uses itself
HIDDEN = frozenset(("keras", "layers", "ops", "functools"))


class KerasLowering(Lowering):
    """Keras has the language's own layout, channels last."""

    target = "keras"
    tells_output = True
    single = (None, ...)  # a symbolic value takes no lone None

    def use(self, step: Step, at: At) -> Use:
        return step.layer.keras(at)

    def form(self, call: BlockCall) -> CellForm:
        assert call.use is not None
        try:
            known("Keras", *(size for port in call.body.inputs for size in port.value.shape))
        except Unsupported as error:
            raise refuse(self.target, call, error) from None
        return call.use.keras(are_vectors(call.body))

    def spread(self, shape: Shape) -> Use:
        sizes = (Index(call("ops.shape", X(1)), (0,)), Star(Attr(X(), "shape")))
        return Use((function(call("ops.broadcast_to", X(), sizes)),))

    def applied(self, values: Sequence[Any]) -> Call:
        return call(Made(), values[0] if len(values) == 1 else list(values))

    def hold(self, use: Use, statistics: bool) -> Use:
        return use.replace(steps=tuple(_held_still(a) if a.stateful else a for a in use.steps))


def _held_still(apply: Apply) -> Apply:
    able = apply.holding_still()
    return able.replace(make=_untrainable(able.make))


def are_vectors(body: Body) -> bool:
    """Are the output and the state of a cell all vectors?"""
    return all(len(result.value.shape) == 1 for result in body.outputs)


def _untrainable(make: Any) -> Code:
    """A layer that is made untrainable, and those that it is made of."""
    inner = tuple(_untrainable(part) if isinstance(part, Call) else part for part in make.args)
    return make.replace(args=inner, kwargs=(*make.kwargs, *unless(True, trainable=False).items()))


def input_call(port: Port, sizes: tuple[Code, ...], batch: int | None) -> Code:
    """`keras.Input` for an input of the net; a symbolic size is None."""
    words = unless(None, batch_size=batch) | unless("float32", dtype=port.value.dtype)
    return call("keras.Input", sizes, **words, name=port.name)


def plain_name(name: str) -> str:
    """A name that Keras takes for a model."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)


def _registration(net: CheckedNet) -> str:
    """The decorator by which Keras finds a class again when it loads a model. Files of other nets may have classes of
    the same name, so the net is the package."""
    make = call("keras.saving.register_keras_serializable", package=net.name)
    return "\n".join(lay_out("@", make))


def _registered(text: str, mark: str) -> str:
    """Python text with the mark above each class."""
    return "".join(f"{mark}\n{line}" if line.startswith("class ") else line for line in text.splitlines(keepends=True))


def file_text(net: CheckedNet, definitions: Sequence[Sequence[str]], helpers: Sequence[Helper]) -> str:
    """The whole file, with the imports that it uses."""
    mark = _registration(net)
    kept = [
        Helper(h.name, _registered(h.source, mark), tuple(i for i in h.imports if "keras" not in i), h.optional)
        for h in dict.fromkeys(helpers)
    ]
    definitions = [_registered("\n".join(lines), mark).split("\n") for lines in definitions]
    text = "\n".join([*(line for lines in definitions for line in lines), *(h.source for h in kept)])
    imports = [f"import {name}" for name in speaks_of(text, ("functools", "math", "keras"))]
    names = speaks_of(text, ("layers", "ops"))
    return module_text([*imports, *([f"from keras import {', '.join(names)}"] if names else [])], kept, definitions)
