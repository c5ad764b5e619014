"""How each form of code writes a block by itself: a model of one class or function, to be run alone."""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record
from ..codegen.pipeline import BACKENDS, templates
from ..weights.targets import keras_target, torch_target
from .further import arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..codegen.ir import Template
    from ..ir.types import Body, CheckedNet, Port
    from ..weights.targets import Target

    Layouts = tuple[tuple[str, ...], tuple[str, ...]]


class Alone(Record):
    """One class or function, and an instance of it in numbers: `given` are the values of the spec's parameters,
    `values` those of the code's, `layouts` how it takes and gives values, where it matters. `words` are the words that
    all instances have."""

    name: str
    body: Body
    given: Mapping[str, Any]
    values: Mapping[str, Any]
    shapes: tuple[tuple[int, ...], ...]
    layouts: Layouts
    words: Mapping[str, Sequence[str]] = {}

    @property
    def is_cell(self) -> bool:
        return bool(self.body.states)


def module(alone: Alone, text: str, words: Sequence[str], place: str, _ports: Sequence[Port]) -> str:
    """A PyTorch module that holds one block and turns values into the layouts that the block has."""
    shapes = [len(shape) for shape in alone.shapes]
    taken = [_turned(f"values[{k}]", rank, at) for k, (rank, at) in enumerate(zip(shapes, alone.layouts[0]))]
    ranks = [len(result.value.shape) for result in alone.body.outputs]
    values = ", ".join(taken)
    call = f"scan(self.{place}, {values})[0]" if alone.is_cell else f"self.{place}({values})"
    given = [_turned(f"found[{k}]", rank, at, back=True) for k, (rank, at) in enumerate(zip(ranks, alone.layouts[1]))]
    return f"""{text}

class Made_(nn.Module):
    def __init__(self):
        super().__init__()
        self.{place} = {alone.name}({", ".join(words)})

    def forward(self, *values):
        found = {call}
        found = found if isinstance(found, tuple) else (found,)
        return {", ".join(given)}{"," if len(given) > 1 else ""}
"""


def _turned(value: str, rank: int, layout: str, back: bool = False) -> str:
    """A value as a net has it, in the layout of a block, or back."""
    outer = "first" if rank >= 3 else "last"
    if rank < 2 or layout == outer:
        return value
    first = ["0", str(rank), *map(str, range(1, rank))]
    last = ["0", *map(str, range(2, rank + 1)), "1"]
    return f"{value}.permute({', '.join(first if (layout == 'first') is not back else last)})"


def function(alone: Alone, text: str, words: Sequence[str], _place: str, ports: Sequence[Port]) -> str:
    """A functional model of one block."""
    names = [port.name for port in ports]
    made = "".join(f"    {p.name} = keras.Input({p.value.shape}, dtype={p.value.dtype!r})\n" for p in ports)
    run = f"layers.RNN({alone.name}({', '.join(words)}), return_sequences=True)({names[0]})"
    called = run if alone.is_cell else f"{alone.name}({', '.join([*names, *words])})"
    return f"{text}\n\ndef made_():\n{made}    return keras.Model([{', '.join(names)}], {called})\n"


def layer(alone: Alone, text: str, words: Sequence[str], place: str, ports: Sequence[Port]) -> str:
    """A subclassed model that holds one block."""
    several = "*values" if len(ports) > 1 else "values"
    made = f"{alone.name}({', '.join(words)})"
    made = f"layers.RNN({made}, return_sequences=True)" if alone.is_cell else made
    return f"""{text}

class Made_(keras.Model):
    def __init__(self):
        super().__init__()
        self.{place} = {made}

    def call(self, values):
        return self.{place}({several})
"""


class CodeForm(Record):
    """A way of writing code.

    `write` makes the code of a net, or takes other text for it; `templates` are its classes and functions, and `wrap`
    is the code of a model that holds one block. `functions` says whether blocks are functions of values, `runs` what
    runs cells, `tells_channels` whether blocks are told the channels of their inputs, and `layouts` how a body takes
    and gives values.
    """

    write: Callable[..., Target]
    templates: Callable[[CheckedNet], Sequence[Template]]
    wrap: Callable[[Alone, str, Sequence[str], str, Sequence[Port]], str]
    functions: bool = False
    runs: str = "layers.RNN("
    tells_channels: bool = False
    layouts: Callable[[Body, tuple[str, ...]], Layouts] = lambda _body, _key: ((), ())

    def arguments(self, text: str, alone: Alone) -> list[str]:
        """The arguments of a class or function, in order, but for the values that a function is applied to."""
        names = [argument.name for argument in arguments(text, alone.name)]
        return names[len(alone.body.given) :] if self.functions and not alone.is_cell else names


def _torch(style: str) -> CodeForm:
    return CodeForm(
        lambda net, text=None: torch_target(net, style, text),
        lambda net: templates(net, "torch", style),
        module,
        False,
        "def scan(",
        True,
        BACKENDS["torch"][style]().layouts,
    )


def _keras(style: str, wrap: Any, functions: bool = False) -> CodeForm:
    return CodeForm(
        lambda net, text=None: keras_target(net, style, text),
        lambda net: templates(net, "keras", style),
        wrap,
        functions,
    )


FORMS = {
    "module": _torch("module"),
    "export": _torch("export"),
    "functional": _keras("functional", function, True),
    "subclass": _keras("subclass", layer),
    "sequential": _keras("sequential", function, True),
}
# what is verified of each framework
_USUAL = {"torch": "module", "keras": "functional"}


def form_of(framework: str, styles: Mapping[str, str]) -> CodeForm:
    """The way of writing for a framework: in the style that was chosen for it, or as usual."""
    return FORMS[styles.get(framework, _USUAL[framework])]
