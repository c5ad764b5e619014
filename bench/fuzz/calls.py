"""Layers with any arguments, and statements of the grammar within a net whose names are bound."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from netspec.base.diagnostics import Collector
from netspec.base.record import Record
from netspec.base.source import Source
from netspec.consteval import FUNCTIONS
from netspec.layers import LAYERS
from netspec.syntax import tree
from netspec.syntax.parser import parse

from .drawing import Drawn
from .grammar import sentence
from .values import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netspec.layers.base import Example, Layer

    from .drawing import Dice

# what the names in hostile values stand for: by name, where it is bound. What a text does not speak of is left out
_DEFINED = {
    "table": "const table = [(1, 2), (3, 4)]\n",
    "unit": (
        "cell unit(units=3) { input x; state h [units]; "
        "next h = tanh(dense(x, units) + dense(h, units)); output next h }\n"
    ),
    "pair": "block pair { input x; input y [..., c]; add(x, y) }\n",
}
_BEGUN = {
    "y": "  input y [{y}]\n",
    "T": "  input sizes [T, S]\n",
    "xs": "  xs = [x, x]\n",
    "e": "  layer e = {shared}\n",
    "w": "  weight w [{weight}]\n",
}
_SIZES = [
    "1",
    "2",
    "3",
    "4",
    "6",
    "8",
    "16",
    "T",
    "S",
    "2*T",
    "T + 1",
    "T//2",
    "0",
    "-1",
    "2**40",
    "2**70",
    "1000000",
    "T*S",
]
_TYPES = [" int(10)", " int", " bool", " int(2**70)", " int(T)", " float", " int(0)"]
_SHARED = ["relu", "dense(4)", "lstm(3)", "conv(3, 3)", "b(2)"]
_WORD = re.compile(r"\w+")
_ANY = [
    "frozen",
    "name",
    "init",
    "l1",
    "l2",
    "bias",
    "axis",
    "activation",
    "padding",
    "stride",
    "return",
    "mask",
    "upto",
]
_CALLEES = sorted({*LAYERS, *FUNCTIONS, "b", "pair", "unit", "e", "expect", "split", "receptive_field"})
_ARGUMENTS = sorted({name for cls in LAYERS.values() for name in cls.arguments}.union(_ANY))
_BOUND = ["x", "y", "n", "xs", "table", "e", "w", "i", "T", "pair", "b", "unit", "z", "identity"]
_ROLES = {
    "callee": _CALLEES,
    "keyword": _ARGUMENTS,
    "attribute": ["shape", "channels", "rank", "x", "h"],
    "target": ["i", "j", "x", "n"],
    "named": ["z", "kept", "x", "conv"],
    "input": ["z", "x", "q"],
    "dtype": ["int", "bool", "float"],
    "size": ["n", "T", "S", "c"],
}


def shape(dice: Dice, most: int = 4) -> str:
    """Sizes, most of them small; 0 to 4 of them."""
    return ", ".join(dice.choice(_SIZES[: 8 if dice.random() < 0.95 else None]) for _ in range(dice.randint(0, most)))


def around(dice: Dice, body: str, block: str = "relu", shapes: Sequence[str] = (), dtype: str = "") -> str:
    """A net with a body, in which the names of the hostile values are bound."""
    x, y = (*shapes, shape(dice), shape(dice))[:2]
    spoken = {*_WORD.findall(body), *_WORD.findall(block), *_WORD.findall(y)}
    spoken.update("T" if "S" in spoken else "")
    fields = {"y": y, "weight": shape(dice, 3) or "3", "shared": dice.choice(_SHARED)}
    kind = dtype if dice.random() < 0.9 else dice.choice(_TYPES)
    lines = [text for name, text in _DEFINED.items() if name in spoken]
    lines += [f"block b(n=2) {{ {block} }}\n"] * ("b" in spoken)
    lines.append(f"net test(n=3) {{\n  input x [{x}]{kind}\n")
    begun = [text.format(**fields) for name, text in _BEGUN.items() if name in spoken]
    return "".join([*lines, *begun, "  x\n" * bool(begun), f"  {body}\n}}\n"])


# --- statements of the grammar ---------------------------------------------------------------------------------------


def _word(dice: Dice, terminal: str, role: str) -> str | None:
    """A name that is bound, mostly; numbers that are small, mostly."""
    if terminal == "NAME" and dice.random() < 0.97:
        return dice.choice(_ROLES.get(role) or (_BOUND if dice.random() < 0.8 else _CALLEES))
    if terminal == "INTEGER" and dice.random() < 0.8:
        return dice.choice(("0", "1", "2", "3", "4", "8"))
    if terminal in ("_NEWLINE", "ARROW", "ELSE") and dice.random() < 0.9:
        return {"_NEWLINE": "\n", "ARROW": "->", "ELSE": "else"}[terminal]
    return None


def statements(dice: Dice) -> Drawn:
    """Statements that the grammar makes, in a net and in a block."""
    made = [
        sentence(dice, "_statement", dice.choice((25, 40, 60)), _word) for _ in range(dice.choice((1, 1, 1, 2, 2, 3)))
    ]
    inside = sentence(dice, "_statement", 35, _word) if dice.random() < 0.3 else "relu"
    shapes = dice.choice(((), (), ("T, 4", "T, 4"), ("8, 8, 3", "3"), ("6", "6")))
    return Drawn(around(dice, "\n  ".join(made), inside, shapes).encode("utf-8", "surrogatepass"))


def sentences(dice: Dice) -> Drawn:
    """Whole texts that the grammar makes."""
    text = sentence(dice, "start", 70, _word if dice.random() < 0.7 else lambda *_: None)
    return Drawn(text.encode("utf-8", "surrogatepass"))


# --- layers with any arguments ---------------------------------------------------------------------------------------


class Written:
    """The call of an example: the name, and its arguments as they are written."""

    def __init__(self, example: Example) -> None:
        self.example = example
        spec = parse(Source("example", f"net example {{\n{example.code}\n}}\n"), Collector())
        flow = spec.definitions[0].body.statements[0].value  # type: ignore[union-attr]
        self.call = flow if isinstance(flow, tree.CallExpression) else None
        self.arguments = [a.span.text for a in self.call.arguments] if self.call else []
        self.callee = self.call.callee.span.text if self.call else example.code


@lru_cache
def _examples(kind: str) -> list[Written]:
    return [Written(example) for example in LAYERS[kind].examples]


@lru_cache
def _kinds() -> list[str]:
    return [kind for kind in LAYERS if LAYERS[kind].examples or LAYERS[kind].calls]


def value(dice: Dice, deep: int = 1) -> str:
    """A hostile value, a few of them in brackets, or an expression of two."""
    if deep and dice.random() < 0.12:
        form = dice.choice(("({}, {})", "[{}, {}]", "{} + {}", "{} * {}", "{} - {}", "{} // {}", "{} ** {}", "{} / {}"))
        return form.format(value(dice, deep - 1), value(dice, deep - 1))
    if deep and dice.random() < 0.05:
        return f"{dice.choice(_kinds())}({value(dice, deep - 1)})"
    return dice.choice(HOSTILE)


def _argument(dice: Dice, cls: type[Layer]) -> str:
    """An argument of the layer, or one of another, given a hostile value."""
    if dice.random() < 0.25:
        return value(dice)
    name = dice.choice([*cls.arguments, "frozen", "name"] if dice.random() < 0.98 else _ARGUMENTS)
    return f"{name}={value_for(dice, name)}"


@lru_cache
def _usual(name: str) -> list[str]:
    """What the examples of all layers give to an argument of that name."""
    written = (a.partition("=") for kind in LAYERS for w in _examples(kind) for a in w.arguments)
    return [text for given, sign, text in written if sign and given == name]


def value_for(dice: Dice, name: str) -> str:
    """A value for an argument: hostile, or at times one that it has elsewhere."""
    usual = _usual(name)
    return dice.choice(usual) if usual and dice.random() < 0.3 else value(dice)


def _changed(dice: Dice, arguments: list[str], cls: type[Layer], first: int) -> None:
    """One argument changed or added, behind the first few. One that has a name is given it once, mostly."""
    if len(arguments) > first and dice.random() < 0.5:
        at = dice.randrange(first, len(arguments))
        name, sign, _ = arguments[at].partition("=")
        arguments[at] = f"{name}={value_for(dice, name)}" if sign else value(dice)
        return
    new = _argument(dice, cls)
    name = new.partition("=")[0]
    same = [n for n, a in enumerate(arguments) if a.startswith(f"{name}=")]
    if same and dice.random() < 0.95:
        arguments[same[0]] = new
    else:
        arguments.insert(dice.randint(first, len(arguments)), new)


def call(dice: Dice, kind: str, written: Written | None, inputs: Sequence[str] = ()) -> str:
    """A layer of this kind: as an example has it with some arguments changed, or with any."""
    arguments = [*inputs, *(written.arguments if written is not None else ())]
    callee = kind if written is None else written.callee
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3) if LAYERS[kind].arguments else (0, 0, 0, 1))):
        _changed(dice, arguments, LAYERS[kind], len(inputs) if dice.random() < 0.9 else 0)
    positional = [a for a in arguments if "=" not in a or "==" in a] if dice.random() < 0.95 else arguments
    named = [a for a in arguments if a not in positional]
    return f"{callee}({', '.join(positional + named)})" if arguments or dice.random() < 0.1 else callee


class Fitting(Record):
    """A call, and shapes and a type of inputs that suit it."""

    call: str
    shapes: tuple[str, ...] = ()
    dtype: str = ""


def _fitting(dice: Dice, kind: str) -> Fitting:
    examples = _examples(kind)
    if not examples or dice.random() < 0.05:
        return Fitting(call(dice, kind, None))
    written = dice.choice(examples)
    example = written.example
    several = bool(example.shape) and isinstance(example.shape[0], tuple)
    shapes = tuple(_sizes(dice, s) for s in (example.shape if several else (example.shape,)))
    inputs = [dice.choice((*"xyxyxyxyxyxyxy", "identity", "w"))] * several
    inputs += [dice.choice(("x", "y", "y", "y")) for _ in shapes[1:]]
    dtype = f" int({example.vocabulary})" if example.vocabulary else ""
    return Fitting(call(dice, kind, written, inputs), shapes, dtype)


def _sizes(dice: Dice, shape: Sequence[int]) -> str:
    """A shape, at times with a size that is not known or not usual."""
    sizes = list(map(str, shape))
    if sizes and dice.random() < 0.25:
        sizes[dice.randrange(len(sizes))] = dice.choice(_SIZES)
    return ", ".join(sizes)


_FORMS = [
    "{}",
    "{}",
    "{}",
    "x -> {}",
    "z = {}",
    "{} as z",
    "output {}",
    "expect output == {}",
    "({})",
    "layer l = {}; l",
]


def layers(dice: Dice) -> Drawn:
    """One to three layers with any arguments, in a row or side by side."""
    first = _fitting(dice, dice.choice(_kinds()))
    others = [_fitting(dice, dice.choice(_kinds())).call for _ in range(dice.choice((0, 0, 1, 1, 2)))]
    chain = dice.choice((" -> ", " -> ", "\n  ", " + ")).join([first.call, *others])
    text = around(dice, dice.choice(_FORMS).format(chain), shapes=first.shapes, dtype=first.dtype)
    return Drawn(text.encode("utf-8", "surrogatepass"))


_USES = [
    "dense({})",
    "conv({}, 3)",
    "reshape({}, 2)",
    "repeat {} {{ relu }}",
    "x[0:{}]",
    "for i in 0..{} {{ dense(i) }}",
]
_USES += [
    "dropout({})",
    "dense(3, bias={})",
    "pad({})",
    "if {} {{ relu }}",
    "softmax(axis={})",
    "activation({})",
    "b({})",
]
_USES += [
    "maxpool({})",
    "concat([x for i in 0..{}])",
    "{}",
    "dense(min({}, 3))",
    "dense(8, activation=relu if {} else tanh)",
]
_DEFAULTS = ["3", "0.5", "none", "relu", "true", "[1, 2]", "(2, 2)", "2x2"]


def set_values(dice: Dice) -> Drawn:
    """Hostile values for what `--set` can set: parameters of a net, and sizes that are not known."""
    sizes = dice.choice(("T", "2*T", "T//2, 3", "T, 3", "T, T", "8, T", "4, 4, T", "S, T"))
    use = dice.choice(_USES).format(dice.choice(("n", "n", "T", "n*T", "n + T", "T//n")))
    text = around(dice, use, shapes=(sizes,)).replace("n=3", f"n={dice.choice(_DEFAULTS)}")
    names = dice.choice((("n",), ("n",), ("T",), ("T", "n"), ("S", "T"), ("q",)))
    small = dice.random() < 0.5
    given = tuple(f"{name}={dice.randint(1, 9) if small else value(dice)}" for name in names)
    return Drawn(text.encode("utf-8", "surrogatepass"), settings=given)
