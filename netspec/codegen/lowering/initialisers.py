"""What PyTorch code says of learning: how weights begin, and what their size adds to the loss.

Both are said of a module where it is made, by functions that note them there, so that lists, chains and nets in nets
need nothing more; a walk over the modules then acts on the notes. Where all modules of a class begin in one way, the
function that fills weights says that of the class, as people write it.
"""

from __future__ import annotations

import re

from ...base.record import TYPE_CHECKING, Record
from ...layers.base import Helper
from ...layers.initialisers import UNIFORM, fans_of, filled, torch_filler
from ...pycode.doc import lay_out
from ...pycode.expr import Call, Infix, Raw, call, each_part, inline, rebuild, unless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ...layers.base import Apply, Use, Weight
    from ...pycode.expr import Code

    # how the weights of a class of PyTorch begin
    Rules = Mapping[str, Call]

REGULARIZED = Helper("regularized", file="torch/regularized")
METHOD = '''\
    def regularization(self):
        """The penalties on weights, to be added to the loss."""
        return sum(penalty(module) for module in self.modules())
'''.splitlines()
INITIALIZED = Helper("initialized", optional=True, file="torch/initialized")


# --- where a module is made ------------------------------------------------------------------------------------------


def noted(use: Use, weights: Sequence[Weight]) -> Use:
    """The form of a layer, with notes on those of its weights that the spec says something of."""
    if not any(w.given or w.l1 or w.l2 for w in weights):
        return use
    names = {a.name for a in use.steps if a.stateful}
    return use.replace(steps=tuple(_noted(a, list(_within(a, names, weights))) for a in use.steps))


def _within(apply: Apply, names: set[str], weights: Iterable[Weight]) -> Iterator[tuple[str, Weight]]:
    """The weights that a module holds, with their paths in it."""
    if apply.stateful:
        for weight in weights:
            part, path = weight.torch.within(names)
            if part == apply.name:
                yield path, weight


def _noted(apply: Apply, held: list[tuple[str, Weight]]) -> Apply:
    fills: dict[Call, dict[str, None]] = {}
    for path, weight in held:
        if weight.given:
            fills.setdefault(_fill(weight), {})[path] = None
    make, helpers = apply.make, apply.helpers
    for fill, paths in fills.items():
        function: Code = (
            call("partial", Raw(str(fill.func)), **dict(fill.kwargs)) if fill.kwargs else Raw(str(fill.func))
        )
        make, helpers = call("initialized", make, function, *_unusual(paths)), (*helpers, INITIALIZED)
    penalised = dict.fromkeys(path for path, weight in held if weight.l1 or weight.l2)
    if penalised:
        weight = next(w for path, w in held if path in penalised)
        words = unless(0, l1=weight.l1, l2=weight.l2)
        make, helpers = call("regularized", make, *_unusual(penalised), **words), (*helpers, REGULARIZED)
    return apply.replace(make=make, helpers=helpers)


def _fill(weight: Weight) -> Call:
    assert weight.init is not None  # it was given
    return torch_filler(weight.init, fans_of(weight), weight.torch.shape_of(weight.sizes))


def _unusual(paths: Iterable[str]) -> tuple[str, ...]:
    """The names of weights, unless it is the one that a module with a single one has."""
    found = tuple(paths)
    return () if found == ("weight",) else found


# --- the function that fills weights ----------------------------------------------------------------------------------

# the classes whose kernel is their `weight`, with what the language begins it with
_USUAL = {
    **{f"nn.{name}": call("nn.init.xavier_uniform_") for name in ("Conv1d", "Conv2d", "Conv3d")},
    **{f"nn.ConvTranspose{n}d": call("nn.init.xavier_uniform_") for n in (1, 2, 3)},
    "nn.Linear": call("nn.init.xavier_uniform_"),
    "nn.Embedding": torch_filler(UNIFORM, (1, 1), None),
}
# PyTorch's own classes, and those of the helpers
_RECURRENT = tuple(f"{where}{name}" for where in ("nn.", "", "Stepwise") for name in ("RNN", "GRU", "LSTM"))
_ATTENTION = ("nn.MultiheadAttention", "MultiHeadAttention")


def common(makes: Iterable[Code], helpers: Iterable[Helper]) -> Rules:
    """What all modules of a class begin with, where the spec says it of each of them."""
    said: dict[str, list[Code]] = {}
    for make in makes:
        _gather(make, said)
    for helper in helpers:
        for name in _USUAL:
            if f"{name}(" in helper.source:
                said.setdefault(name, []).append(None)
    return {
        name: _as_call(fills[0]) for name, fills in said.items() if fills[0] and fills.count(fills[0]) == len(fills)
    }


def _gather(code: Code, said: dict[str, list[Code]]) -> None:
    """Note of each module in an expression what it begins with; None for the usual, or for numbers that vary."""

    def visit(part: Code) -> Code:
        noted = _own_fill(part)
        if noted is not None:
            fill = noted[1]
            said.setdefault(noted[0].func, []).append(fill if not _varies(fill) else None)
            for argument in noted[0].args:
                visit(argument)
        elif isinstance(part, Call) and isinstance(part.func, str) and part.func in _USUAL:
            said.setdefault(part.func, []).append(None)
        else:
            each_part(part, visit)
        return part

    visit(code)


def _own_fill(code: Code) -> tuple[Call, Code] | None:
    """The module and its own way to begin, in `initialized(module, fill)`."""
    if not isinstance(code, Call) or code.func != "initialized" or len(code.args) != 2:
        return None
    inner, fill = code.args
    return (inner, fill) if isinstance(inner, Call) and inner.func in _USUAL else None


def _varies(fill: Code) -> bool:
    return isinstance(fill, Call) and any(isinstance(value, Raw) for _, value in fill.kwargs)


def _as_call(fill: Code) -> Call:
    """`partial(f, std=1)` and `f` as calls without an array."""
    return Call(fill.text) if isinstance(fill, Raw) else Call(fill.args[0].text, (), fill.kwargs)


def plain(code: Code, rules: Rules) -> Code:
    """An expression without notes of what the function for its class does anyway."""

    def change(part: Code) -> Code:
        noted = _own_fill(part)
        return noted[0] if noted is not None and noted[0].func in rules else part

    return rebuild(code, change) if rules else code


def init_weights(text: str, rules: Rules) -> Helper | None:
    """The function that fills the weights of a module, for the classes that a text makes; None where PyTorch's own way
    is the language's."""
    used = set(re.findall(r"\b(?:nn\.)?\w+(?=[()])", text))
    usual = {name: rules.get(name, fill) for name, fill in _USUAL.items() if name in used}
    branches = [*_kernels(usual, bool(_BIASED.search(text))), *_recurrent(used), *_on_grids(used), *_attention(used)]
    if "nn.Bilinear" in used:
        branches.append(
            Branch(("nn.Bilinear",), ("nn.init.xavier_uniform_(module.weight.data.transpose(1, 2))", *_BIAS))
        )
    noted = "initialized" in used
    if not branches and not noted:
        return None
    lines = ["def init_weights(module):", '    """Fill the weights of a module with what they begin with."""']
    for number, branch in enumerate(branches):
        lines += lay_out("elif " if number else "if ", branch.condition, ":", 4)
        lines += [f"        {line}" for line in branch.lines]
    if noted:
        lines += ['    for name, fill in getattr(module, "fills", ()):', "        fill(module.get_parameter(name))"]
    return Helper("init_weights", "\n".join(lines) + "\n", ("from torch import nn",))


# a module that is told about its bias may have none; a function that takes one is no module
_BIASED = re.compile(r"\bbias=(?!None)")
_BIAS = ("if module.bias is not None:", "    nn.init.zeros_(module.bias)")


class Branch(Record):
    """What is done with the modules of some classes."""

    classes: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def condition(self) -> Call:
        union: Code = Raw(self.classes[0])
        for name in self.classes[1:]:
            union = Infix(union, "|", Raw(name))
        return call("isinstance", Raw("module"), union)


def _kernels(usual: Rules, some_without: bool) -> list[Branch]:
    """The classes that begin alike together; `some_without` says that there may be modules without a bias."""
    found = []
    bias = _BIAS if some_without else ("nn.init.zeros_(module.bias)",)
    for fill in dict.fromkeys(usual.values()):
        names = [name for name, own in usual.items() if own == fill]
        text = inline(filled(fill, Raw("module.weight")))
        with_bias = tuple(name for name in names if name != "nn.Embedding")
        if with_bias:
            found.append(Branch(with_bias, (text, *bias)))
        if len(with_bias) < len(names):
            found.append(Branch(("nn.Embedding",), (text,)))
    return found


def _recurrent(used: set[str]) -> list[Branch]:
    """Recurrent layers: matrices of the state are orthogonal, and an LSTM does not forget to begin with."""
    classes = tuple(name for name in _RECURRENT if name in used)
    if not classes:
        return []
    lines = [
        'if name.startswith("weight_ih"):',
        "    nn.init.xavier_uniform_(parameter)",
        'elif name.startswith("weight_hh"):',
        "    nn.init.orthogonal_(parameter)",
        "else:",
        "    nn.init.zeros_(parameter)",
    ]
    forgetful = [name for name in classes if name.endswith("LSTM")]
    first, which = [], ""
    if 0 < len(forgetful) < len(classes):
        which = f"isinstance(module, {' | '.join(forgetful)})"
        if len(forgetful) > 1:  # that is too long for a condition
            first, which = [f"forgets = {which}"], "forgets"
        which += " and "
    if forgetful:
        lines.append(f'if {which}name.startswith("bias_ih"):')
        lines.append("    nn.init.ones_(parameter.data.chunk(4)[1])  # the forget gate")
    each = "for name, parameter in module.named_parameters(recurse=False):"
    return [Branch(classes, (*first, each, *(f"    {line}" for line in lines)))]


def _on_grids(used: set[str]) -> list[Branch]:
    """The same for an LSTM of convolutions, which come before it and have begun as others do."""
    lines = (
        "nn.init.orthogonal_(module.recurrent.weight)",
        "if module.conv.bias is not None:",
        "    nn.init.ones_(module.conv.bias.data.chunk(4)[1])  # the forget gate",
    )
    return [Branch(("ConvLSTM",), lines)] if "ConvLSTM" in used else []


def _attention(used: set[str]) -> list[Branch]:
    """Attention of several heads; where there are no biases to see to, as its own class leaves them."""
    classes = tuple(name for name in _ATTENTION if name in used)
    lines = (
        "for name, parameter in module.named_parameters():",
        '    if name.endswith("weight"):',
        "        nn.init.normal_(parameter, std=0.02)",
    )
    return [Branch(classes, lines)] if classes else []
