"""What all forms of Keras code share: the words of the framework, inputs, names, the text of a file."""

from __future__ import annotations

import re

from ..diagnostics import Diagnostic, Label, SpecError
from ..layers.base import Use, function
from ..pycode import Attr, Call, Index, Made, Star, X, call, unless
from ..record import TYPE_CHECKING
from .lower import Lowering
from .text import module_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..dims import Shape
    from ..ir import Step
    from ..layers.base import At, Helper
    from ..pycode import Code
    from ..source import Span

# names that generated code uses itself
HIDDEN = frozenset(("keras", "layers", "ops"))


def no_style(message: str, help: str, span: Span) -> SpecError:
    """The net cannot be written in the style that was asked for."""
    return SpecError([Diagnostic("no-such-style", message, Label(span), (), help)])


class KerasLowering(Lowering):
    """Keras has the language's own layout, channels last."""

    target = "keras"
    single = (None, ...)  # a symbolic value takes no lone None

    def use(self, step: Step, at: At) -> Use:
        return step.layer.keras(at)

    def spread(self, shape: Shape) -> Use:
        sizes = (Index(call("ops.shape", X(1)), (0,)), Star(Attr(X(), "shape")))
        return Use((function(call("ops.broadcast_to", X(), sizes)),))

    def applied(self, values: Sequence[Any]) -> Call:
        return call(Made(), values[0] if len(values) == 1 else list(values))

    def hold(self, use: Use, frozen: bool) -> Use:
        steps = (a.replace(make=_trainable(a.make, not frozen)) if a.stateful else a for a in use.steps)
        return use.replace(steps=tuple(steps))


def _trainable(make: Any, value: bool) -> Code:
    return make.replace(kwargs=(*make.kwargs, *unless(True, trainable=value).items()))


def input_call(name: str, shape: Shape, dtype: str) -> Code:
    """`keras.Input` for an input of the net; a symbolic size is None."""
    sizes = tuple(d if isinstance(d, int) else None for d in shape)
    words = {"dtype": dtype} if dtype != "float32" else {}
    return call("keras.Input", sizes, **words, name=name)


def plain_name(name: str) -> str:
    """A name that Keras takes for a model."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)


def file_text(definitions: Sequence[Sequence[str]], helpers: Sequence[Helper]) -> str:
    """The whole file, with the imports that it uses."""
    kept = [h.replace(imports=tuple(i for i in h.imports if "keras" not in i)) for h in dict.fromkeys(helpers)]
    text = "\n".join([*(line for lines in definitions for line in lines), *(h.source for h in kept)])
    imports = ["import keras"] if re.search(r"\bkeras\.", text) else []
    names = [name for name in ("layers", "ops") if re.search(rf"(?<![\w.]){name}\.", text)]
    return module_text([*imports, *([f"from keras import {', '.join(names)}"] if names else [])], kept, definitions)
