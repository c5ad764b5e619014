"""Arguments and values that do not fit a call: what is said of them."""

from __future__ import annotations

from ..base.diagnostics import did_you_mean
from ..base.record import TYPE_CHECKING
from ..ir.types import Tensor
from ..layers import LAYERS
from ..syntax import tree
from .session import POISON, Poison

if TYPE_CHECKING:
    from ..base.source import Span
    from ..layers.base import Layer
    from ..syntax.tree import Node
    from .given import Signature
    from .scope import Context

# the arguments that every step takes
EVERYWHERE = ("frozen", "name")


def given_twice(at: Context, keyword: tree.Keyword, first: Span, help: str = "") -> None:
    name = keyword.name
    later = first.start > name.span.start
    at.scope.session.fault(
        "duplicate-argument",
        f"`{name.text}` is given twice",
        name.span,
        others=((first, "here, by its place" if later else "here already"),),
        help="arguments without a name come first, in their order" if later else help,
    )


def bare_help(name: str) -> str:
    """What to do with an argument of a layer that takes none."""
    from ..layers.vocabulary import BARE

    return BARE.get(name, "")


def place_for(at: Context, callee: tree.Name, takes: Signature, keyword: tree.Keyword, value: object) -> str:
    """What to do with an argument that nothing is called: where it goes, or what else there is."""
    from ..layers.foreign import foreign_argument

    name, plain = keyword.name.text, [*takes.names, *takes.named]
    if name in takes.inner:
        return f"give it to the step: `{takes.inner[name]}(..., {keyword.span.text})`"
    help = _learning_help(at, callee, name) or foreign_argument(name, plain) or _of_a_value(at, callee, keyword, value)
    known = [*(takes.listed or plain), *EVERYWHERE]
    return help or did_you_mean(name, known) or f"it takes {', '.join(known)}"


def _of_a_value(at: Context, callee: tree.Name, keyword: tree.Keyword, value: object) -> str:
    """What to do with a value of the net under a name, where it needs none."""
    definition = at.scope.defined(callee.text)
    alone = definition is None or len(at.scope.session.plan(definition).ports) < 2
    text = keyword.value.span.text
    return f"a value stands without a name: `{callee.text}({text}, ...)`" if alone and isinstance(value, Tensor) else ""


def _learning_help(at: Context, callee: tree.Name, name: str) -> str:
    """Where an argument goes that only layers with kernels take."""
    if name not in ("l1", "l2", "init"):
        return ""
    definition = at.scope.defined(callee.text)
    if definition is not None:
        return (
            f"hand it on to the layers in it: `{definition.word} {callee.text}({name}=...)`, `dense(10, {name}={name})`"
        )
    return "layers with kernels or tables take it: `dense`, `conv`, `embedding`, `lstm`, ..."


def missing(at: Context, callee: tree.Name, cls: type[Layer], names: list[str], flowing: tuple[Node, ...]) -> Poison:
    listed = " and ".join(f"`{n}`" for n in names)
    example = f"for example `{cls.examples[0].code}`; " if cls.examples else ""
    words = cls.arguments[names[0]].reader.words
    steps = [
        n
        for n in flowing
        if isinstance(n, tree.CallExpression) and isinstance(n.callee, tree.Name) and n.callee.text in words
    ]
    if steps:
        help = f"it takes a bare word; one with arguments is a step of its own: `{steps[0].span.text}`"
        return at.scope.session.fault("missing-argument", f"`{callee.text}` needs {listed}", callee.span, help=help)
    return at.scope.session.fault(
        "missing-argument",
        f"`{callee.text}` needs {listed}",
        callee.span,
        help=f"{example}`netspec layers {cls.kind}` shows its arguments",
    )


def lost_in_join(at: Context, callee: tree.Name, arguments: tuple[Node, ...]) -> Poison:
    """A join behind an arrow whose values all come from elsewhere."""
    if POISON in (at.flow if isinstance(at.flow, tuple) else (at.flow,)):
        return POISON  # what should flow in is wrong already
    listed = ", ".join(["identity", *(a.span.text for a in arguments)])
    return at.scope.session.fault(
        "wrong-arity",
        f"what flows into `{callee.text}` here is not among its values",
        callee.span,
        help=f"`identity` is what flows in: `{callee.text}({listed})`",
    )


def no_flow(at: Context, callee: tree.Name) -> tuple[Tensor, ...] | None:
    session, inputs = at.scope.session, [p.name for p in at.scope.ports]
    later = list(tree.inputs(at.scope.definition))
    if not inputs and later:
        session.fault(
            "misplaced-input",
            f"`{callee.text}` stands before the input that it should work on",
            callee.span,
            others=((later[0].span, "the input is declared only here"),),
            help="move the input up, before all steps",
        )
        return None
    joins = callee.text in LAYERS and LAYERS[callee.text].arity != 1
    help = (
        f"give it the inputs: `{callee.text}({', '.join(inputs)})`"
        if joins and len(inputs) > 1
        else f"begin with one of the inputs: `{inputs[0]} -> {callee.text}`"
        if inputs
        else "begin with `input x [28, 28, 1]`"
    )
    session.fault("no-flow", f"there is no value for `{callee.text}` to work on", callee.span, help=help)
    return None


def declared(at: Context, callee: tree.Name) -> tuple[tuple[Span, str], ...]:
    """Where a block or net says what it takes."""
    definition = at.scope.defined(callee.text)
    if definition is None:
        return ()
    ports = at.scope.session.plan(definition).ports
    return ((definition.name.span, f"it takes {' and '.join(f'`{p}`' for p in ports)}" if ports else "declared here"),)
