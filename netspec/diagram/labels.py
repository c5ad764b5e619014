"""What a picture says of a layer, a block and a shape, in few words; and how text gets into DOT unharmed."""

from __future__ import annotations

from ..base.dims import DimExpr
from ..base.record import TYPE_CHECKING, Record
from ..base.render import clean, inert_part
from ..ir.types import BlockCall, Step
from ..layers.arguments import axes, describe, spread
from ..layers.cell_uses import Run
from ..syntax.tree import Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from ..base.dims import Dim, Shape
    from ..layers.arguments import Argument

TIMES = "\N{MULTIPLICATION SIGN}"
_LONGEST = 40
# arguments whose value speaks for itself
_BARE = ("filters", "units", "activation", "rate", "vocabulary", "classes", "sizes", "order", "to", "mode")
# what a reader of a slide can do without; the shapes on the edges tell most of it
_QUIET = (
    "padding",
    "output_padding",
    "bias",
    "epsilon",
    "momentum",
    "scale",
    "center",
    "rounding",
    "count_padding",
    "keepdims",
)
_CONSTANTS_OF_NORMS = ("size", "alpha", "beta", "k")
_ALWAYS = ("rate",)


def shape_text(shape: Shape) -> str:
    """`56 x 56 x 256`, with the sign for times."""
    return f" {TIMES} ".join(str(d) if len(shape) == 1 else _factor(d) for d in shape) or "1"


def _factor(size: Dim) -> str:
    """A size among others; a sum in brackets."""
    return f"({size})" if isinstance(size, DimExpr) and len(size.terms) > 1 else str(size)


def steps_text(length: Dim) -> str:
    """`T steps`."""
    return "1 step" if length == 1 else f"{length} steps"


def amount_text(amount: Dim) -> str:
    """A large number as people say it: `25.6M`."""
    if isinstance(amount, DimExpr):
        return str(amount)
    for limit, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if amount >= 0.9995 * limit:
            return f"{amount / limit:.3g}{letter}"
    return str(amount)


def params_text(weights: Sequence[Dim], exact: bool = False) -> str:
    """What the parts that are drawn as one weigh: each, where they weigh the same."""
    first, several = weights[0], len(weights) > 1
    same = all(w == first for w in weights)
    amount = first if same else total(weights)
    said = f"{amount} parameters" if exact else f"{amount_text(amount)} params"
    return f"{said} {'each' if same else 'in all'}" if several else said


def total(amounts: Iterable[Dim]) -> Dim:
    found: Dim = 0
    for amount in amounts:
        found = amount + found
    return found


def _sizes(value: Any) -> str:
    return TIMES.join(str(v) for v in value) if isinstance(value, tuple) else str(value)


def _window(value: Any, shape: Shape) -> str:
    """`3x3`, also where one number stands for all spatial axes."""
    rank = max(len(shape) - 1, 1)
    return _sizes(spread(value, rank, "") if isinstance(value, int) else value)


def _stride(step: Step, value: Any) -> str:
    """`/2`; in words where the grid becomes finer, and nothing where windows lie side by side as in most pools."""
    layer, shape = step.layer, step.inputs[0].shape
    usual = layer.__dict__["kernel"] if layer.style == "pool" else 1
    if value is None or _window(value, shape) == _window(usual, shape):
        return ""
    return f"stride {_sizes(value)}" if any(n != 1 for n in layer.finer(shape)) else f"/{_sizes(value)}"


def _items(value: Any) -> str:
    """The items of a slice, as Python writes them."""
    said = ("..." if v is ... else f"[{', '.join(map(str, v))}]" if isinstance(v, tuple) else str(v) for v in value)
    return f"[{', '.join(said)}]"


class Range(Record):
    """A fraction that differs among the parts that one stands for: from `first` to `last`."""

    first: float
    last: float

    def __str__(self) -> str:
        return f"{_fraction(self.first)} to {_fraction(self.last)}"


def _fraction(value: float) -> str:
    """A fraction in few digits."""
    text = f"{value:.6g}"
    return text if len(text) <= 6 else f"{value:.3g}"


def _together(alike: Sequence[Mapping[str, Any]], name: str) -> Any:
    """The value of an argument of parts that are alike but for fractions."""
    values = [arguments[name] for arguments in alike]
    least, most = (min(values), max(values)) if isinstance(values[0], float) else (0, 0)
    if least == most:
        return values[0]
    return Range(most, least) if values[0] == most else Range(least, most)


def _brief(value: Any) -> str:
    """A value as the language writes it, but for the digits of fractions."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_brief, value))}{',' * (len(value) == 1)})"
    return _fraction(value) if isinstance(value, float) else describe(value)


def _plain(argument: Argument, value: Any) -> str:
    if argument.reader is axes or argument.name == "sizes":
        return _sizes(value)
    return str(value) if isinstance(value, str) else _brief(value)


def _said(step: Step, argument: Argument, value: Any, bare: bool) -> str:
    """What is said of one argument; empty for nothing. `bare` leaves out the name of one that must be given."""
    name = argument.name
    if argument.last or argument.reader.holds == "values":
        return ""  # how it learns, and values that arrows bring
    if name == "stride":
        return _stride(step, value)
    if name in _QUIET or (step.layer.style == "norm" and name in _CONSTANTS_OF_NORMS):
        return ""
    if value == argument.default and name not in _ALWAYS:
        return ""
    if name == "items":
        return _items(value)
    text = _plain(argument, value)
    return text if name in _BARE or (bare and argument.required) else f"{name} {text}"


def layer_text(step: Step, alike: Sequence[Step] = ()) -> str:
    """A layer with what matters of it, the window first: `conv 3x3, 64, /2, relu`; `alike` are those it stands for."""
    layer = step.layer
    arguments, told = layer.arguments, [s.layer.__dict__ for s in alike or (step,)]
    values = {name: _together(told, name) for name in arguments}
    window = next((n for n, a in arguments.items() if a.reader is axes and a.required), "")
    said = [_window(values[window], step.inputs[0].shape)] if window else []
    said += [_said(step, a, values[n], not window) for n, a in arguments.items() if n != window]
    rest = ", ".join(s for s in said if s)
    return f"{layer.word} {rest}" if rest else layer.word


def block_text(call: BlockCall, alike: Sequence[BlockCall] = ()) -> str:
    """A block with the arguments that the call gives, as one would write it: `bottleneck(128, stride=2)`.

    A number that is the default anyway is left out. `alike` are the calls that it stands for.
    """
    defaults = {p.name.text: p.default for p in call.body.definition.parameters}
    said, gap = [], False
    for name in call.arguments:
        value = _together([c.arguments for c in alike or (call,)], name)
        default = defaults.get(name)
        if name not in call.written or (isinstance(default, Literal) and default.value == value):
            gap = True
        else:
            said.append(f"{name}={_brief(value)}" if gap or defaults[name] is not None else _brief(value))
    text = f"{call.body.name}({', '.join(said)})" if said else call.body.name
    return f"scan {text}{', reverse' * call.use.reverse}" if isinstance(call.use, Run) else text


def split(text: str) -> tuple[str, list[str]]:
    """The first word of a caption, and the rest of it in lines, broken behind commas."""
    end = next((i for i, c in enumerate(text) if c in " ("), len(text))
    lines = [""]
    for part in text[end:].replace(", ", ",\0 ").split("\0 "):
        if lines[-1] and len(lines[-1]) + len(part) > _LONGEST:
            lines.append(part)
        else:
            lines[-1] += (" " if lines[-1].endswith(",") else "") + part
    return text[:end], lines


# --- DOT ---------------------------------------------------------------------------------------------------------


def markup(text: str) -> str:
    """Text within an HTML-like label. Never empty, which Graphviz does not take."""
    text = (
        inert_part(clean(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    )
    return text or " "


def quoted(text: str) -> str:
    """A DOT string that stands for this text: an id, or an attribute whose escapes and entities are taken away."""
    return '"' + inert_part(clean(text)).replace("\\", "\\\\").replace('"', '\\"') + '"'


def quoted_text(text: str) -> str:
    """A DOT string that shows this text, `&` included."""
    return quoted(text.replace("&", "&amp;"))
