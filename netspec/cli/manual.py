"""Pages of the layer reference, made from the declarations: signature, arguments, examples, framework forms.

`python -m netspec.cli.manual` writes them to `netspec/layers.md`, which `netspec layers` shows.
"""

from __future__ import annotations

import textwrap

from ..base.diagnostics import Collector
from ..base.dims import show
from ..base.record import TYPE_CHECKING
from ..base.source import Source
from ..codegen.lowering.initialisers import noted
from ..elaborate.net import elaborate
from ..ir.types import Step
from ..layers.arguments import Unsupported, describe
from ..layers.base import LAYERS, At
from ..layers.forms import numbers_in
from ..pycode.expr import Raw, fill, inline
from ..resolve.resolve import resolve
from ..syntax.parser import parse
from .pages import FENCE, LISTING, PAGES, SECTION

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..base.dims import Shape
    from ..layers.arguments import Argument
    from ..layers.base import Example, Layer, Use

_WIDTH = 100
_NAMES = "abcdefgh"
_STYLES = {
    "conv": "Convolutions",
    "pool": "Pooling",
    "dense": "Dense layers",
    "attention": "Attention",
    "norm": "Normalisation",
    "dropout": "Noise and dropout",
    "activation": "Activations",
    "join": "Joins and arithmetic",
    "shape": "Shapes",
}


def signature(cls: type[Layer]) -> str:
    """How the layer is called, with its defaults."""
    parts = [name if a.required else f"{name}={_default(a)}" for name, a in cls.arguments.items()]
    return f"{cls.word}({', '.join(parts)})" if parts else cls.word


def _default(argument: Argument) -> str:
    """The default as the language writes it; a text is a bare word."""
    value = argument.default
    return value if isinstance(value, str) else describe(value)


def summary(cls: type[Layer]) -> str:
    """The first paragraph of the layer's documentation, on one line."""
    return " ".join(_documentation(cls).split("\n\n")[0].split())


def _documentation(cls: type[Layer]) -> str:
    from inspect import cleandoc

    return cleandoc(cls.__doc__ or "")


def listing() -> str:
    """All layers by family, each with what it does."""
    width = max(map(len, LAYERS))
    families: dict[str, list[str]] = {style: [] for style in _STYLES}
    for kind, cls in sorted(LAYERS.items()):
        lines = families.setdefault(cls.style, [])
        indent = " " * (width + 4)
        lines += textwrap.wrap(summary(cls), _WIDTH, initial_indent=f"  {kind:<{width}}  ", subsequent_indent=indent)
    parts = ["\n".join([_STYLES.get(style, style), *lines]) for style, lines in families.items() if lines]
    return "\n\n".join(parts)


def page(cls: type[Layer]) -> str:
    """Everything that is declared of a layer."""
    parts = ["\n".join(textwrap.wrap(signature(cls), _WIDTH, subsequent_indent="  ")), _documentation(cls)]
    if cls.arguments:
        parts.append("\n".join(["Arguments", *_arguments(cls)]))
    parts.append("Like every layer it takes `frozen=true` (weights held still) and `name=`, too.")
    if cls.examples:
        parts += ["Examples, with what they become", *(_example(cls, e) for e in cls.examples)]
    return "\n\n".join(parts)


def _arguments(cls: type[Layer]) -> list[str]:
    lines = []
    width = max(map(len, cls.arguments))
    for name, argument in cls.arguments.items():
        default = "" if argument.required else f" (default {_default(argument)})"
        text = f"{argument.doc}: {argument.reader.doc}{default}"
        lead = f"  {name:<{width}}  "
        lines += textwrap.wrap(text, _WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead))
    return lines


# --- examples ------------------------------------------------------------------------------------------------------


def _shapes(example: Example) -> tuple[Shape, ...]:
    shape = example.shape
    return shape if shape and isinstance(shape[0], tuple) else (shape,)


def _names(example: Example) -> tuple[str, ...]:
    """What the inputs of an example are called."""
    count = len(_shapes(example))
    return example.names or (("x",) if count == 1 else tuple(_NAMES[:count]))


def _net(cls: type[Layer], example: Example) -> str:
    """A spec in which the example stands."""
    shapes = _shapes(example)
    names = _names(example)
    conditions = len(shapes) if cls.takes == "bool" else example.conditions
    kinds = [" bool"] * conditions + ([f" int({example.vocabulary})"] if example.vocabulary else [""]) * len(shapes)
    kinds = [" bool" if name == "mask" else kind for name, kind in zip(names, kinds)]
    inputs = [f"  input {name} {show(shape)}{kind}" for name, shape, kind in zip(names, shapes, kinds)]
    head, sign, rest = example.code.partition("(")
    if example.code.startswith("x["):
        code = example.code
    elif example.names or (len(shapes) == 1 and not cls.places):
        code = f"{names[0]} -> {example.code}"
    else:
        code = f"{head}({', '.join(names)}{', ' + rest if sign else ')'}"
    # bound to a name, since some layers give several values
    return "\n".join(["net example {", *inputs, f"  result = {code}", f"  {names[0]}", "}", ""])


def applied(cls: type[Layer], example: Example) -> Step:
    """The example's layer, applied to the example's shapes."""
    faults = Collector()
    spec = parse(Source(cls.kind, _net(cls, example)), faults)
    design = resolve(spec, faults)
    net = elaborate(design, design.nets[0], {}, faults)
    step = net.body.items[-1] if net.body.items else None
    if not isinstance(step, Step) or faults.failed:
        raise ValueError(f"the example `{example.code}` of {cls.kind} is wrong: {[d.message for d in faults.all]}")
    return step


def _example(cls: type[Layer], example: Example) -> str:
    step = applied(cls, example)
    shapes = tuple(t.shape for t in step.inputs)
    weights = f", {example.weights:,} parameters" if example.weights else ""
    first = cls.torch_layout == "first" or (cls.torch_layout == "any" and len(shapes[0]) > 2)
    made = At(shapes, step.output.shape, first and any(len(s) > 1 for s in shapes))
    names = list(_names(example))
    return "\n".join(
        [
            f"  {example.code}",
            f"    {', '.join(map(show, shapes))} -> {', '.join(show(t.shape) for t in step.outputs)}{weights}",
            f"    PyTorch  {_form(lambda at: noted(step.layer.torch(at), step.weights), made, names)}",
            f"    Keras    {_form(step.layer.keras, made.replace(first=False), names)}",
        ]
    )


def _form(facet: Callable[[At], Use], at: At, names: list[str]) -> str:
    """What a framework makes of a layer, one application after the other."""
    try:
        use = facet(at)
    except Unsupported as error:
        return f"none: {error.message}"
    parts = []
    values = dict(enumerate(names))
    for step in use.steps:
        if step.stateful or step.call is None:
            parts.append(inline(step.make))
        else:
            parts.append(inline(fill(step.call, [Raw(values.get(n, "x")) for n in range(max(values) + 1)])))
        values |= {n: use.names.get(n, f"x{n}") for n in numbers_in(step.gives) if n}
        values[0] = "x"
    return " -> ".join(parts) if parts else "nothing"


_HEAD = """# The layers

Made by `python -m netspec.cli.manual` from the declarations of the layers; `netspec layers NAME` shows a page.
"""


def pages() -> str:
    """The text of `layers.md`: the list of all layers, and the page of each."""
    texts = {LISTING: listing(), **{name: page(cls) for name, cls in sorted(LAYERS.items())}}
    return "".join([_HEAD, *(f"\n{SECTION.format(name)}{text}{FENCE}" for name, text in texts.items())])


if __name__ == "__main__":
    with open(PAGES, "w", encoding="utf-8") as _file:
        _file.write(pages())
