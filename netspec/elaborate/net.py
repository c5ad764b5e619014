"""The door of elaboration: a definition and its settings in, a `Net` out."""

from __future__ import annotations

from ..base.diagnostics import Collector, did_you_mean
from ..base.dims import DimExpr
from ..base.errors import UserError
from ..base.record import TYPE_CHECKING
from ..base.source import Source
from ..ir.types import Body, Design, Net
from ..layers.arguments import describe
from ..syntax import tree
from ..syntax.parser import parse
from .blocks import body_of, fill_defaults, finish, is_led
from .doubts import report_inputs
from .names import parameters
from .rules import begin
from .scope import Scope
from .session import MOST_INSTANCES, POISON, Poison, Session
from .unused import report
from .weights import constant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..ir.types import Tensor
    from ..syntax.tree import Definition
    from .session import Cache


class SettingError(UserError):
    """A `--set` or keyword that does not fit the net: the command was used wrongly."""


def with_defaults(
    design: Design, definition: Definition, values: Mapping[str, Any], cache: Cache | None = None
) -> Mapping[str, Any] | None:
    """The parameters of a block with the defaults of those that have no value; None where a default is at fault."""
    scope = Scope(begin(design, Collector(), cache), definition, {}, ())
    return fill_defaults(scope, definition, dict(values))


# characters of a setting that a message shows
_SHOWN = 60


def read_setting(text: str) -> Any:
    """The value of `NAME=VALUE`, written as in the language. Raises SettingError."""
    value = _value_of(text)
    if value is POISON:
        from .meant import remedy

        # what is long was hardly written by hand
        told = f"; {remedy(text, lambda other: _value_of(other) is not POISON)}" if len(text) <= _SHOWN else ""
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        raise SettingError(f"`{shown}` is not a value of the language{told}" if text.strip() else told[2:])
    return value


def _value_of(text: str) -> Any:
    """The value of a text, POISON where it has none. Raises SettingError where it is too large."""
    faults = Collector()
    source = Source("--set", f"const value = {text}\n")
    spec = parse(source, faults)
    node = spec.definitions[0] if spec.definitions else None
    if faults.failed or len(spec.definitions) != 1 or not isinstance(node, tree.Const):
        return POISON
    blank = tree.Definition(node.span, "net", node.name, (), tree.Braces(node.span, ()), "")
    session, found = begin(Design(source), faults), [POISON]
    scope = Scope(session, blank, {}, ())
    session.attempt(node.span, lambda: found.append(scope.evaluate(node.value)))
    value = found[-1]
    if faults.has("too-large"):
        raise SettingError("the value is larger than the limits allow")
    return POISON if isinstance(value, DimExpr) else value


def elaborate(
    design: Design,
    definition: Definition,
    settings: Mapping[str, Any],
    faults: Collector,
    cache: Cache | None = None,
    limit: int = MOST_INSTANCES,
) -> Net:
    """Elaborate one net.

    `settings` give values to its parameters and symbols; `cache` holds what is worked out already, for other settings,
    and takes what is worked out now. A net of more than `limit` instances is refused. Raises SettingError where a name
    or type does not fit.
    """
    session = begin(design, faults, cache, limit)
    declared = parameters(definition)
    arguments: dict[str, Any] = {}
    whole = session.attempt(definition.name.span, lambda: _fill(session, definition, settings, arguments))
    whole = whole and len(arguments) == len(declared) and all(value is not POISON for value in arguments.values())
    scope = Scope(session, definition, arguments, ())
    for name, value in settings.items():
        if name not in declared:
            scope.names[name] = value
    whole = whole and session.attempt(definition.name.span, lambda: scope.run(definition.body))
    _check_settings(scope, definition, settings)
    body = finish(scope)
    if whole and not faults.failed and not body.outputs:
        session.fault(
            "no-flow",
            f"net {body.name} gives nothing",
            definition.name.span,
            help="begin it with `input x [28, 28, 1]` and add steps",
        )
    alone = constant(body.outputs)
    if alone is not None:
        session.fault(
            "constant-output",
            f"an output of net {body.name} is made of weights alone, the same for every sample",
            alone.span,
            help="join it with something that an input has a part in",
        )
    if whole and not faults.failed:
        report(session.uses, faults)
        report_inputs(body, faults)
        for doubt in session.doubts.values():
            faults.add(doubt)
    whole = whole and not faults.failed and not session.errors
    return Net(design, body, tuple(scope.expectations), tuple(scope.symbols), whole, settings, session.cache)


def elaborate_block(
    design: Design,
    definition: Definition,
    arguments: Mapping[str, Any],
    inputs: Sequence[Tensor],
    cache: Cache,
) -> Body | None:
    """A block on its own, for these arguments and values that come in; None where it is at fault. `cache` as above."""
    faults = Collector()
    session = begin(design, faults, cache, ends_early=True)
    scope = Scope(session, definition, {}, ())
    given = tuple(scope.tensor(t.shape, t.dtype, t.span, t.batched, t.flattened) for t in inputs)
    found: list[Body | Poison] = []
    span = definition.name.span
    session.attempt(span, lambda: found.append(body_of(scope, definition, arguments, given, span, None)))
    sound = not session.errors and not faults.failed
    return found[0] if found and isinstance(found[0], Body) and sound else None


def _fill(session: Session, definition: Definition, settings: Mapping[str, Any], found: dict[str, Any]) -> None:
    """The parameters' values: the settings, else the defaults. One that has neither is reported and left out."""
    scope = Scope(session, definition, {}, ())
    for name, parameter in parameters(definition).items():
        default = None if parameter.default is None else scope.evaluate(parameter.default)
        if name in settings:
            _check_type(name, settings[name], default)
            found[name] = settings[name]
        elif parameter.default is None:
            session.fault(
                "missing-argument",
                f"the parameter `{name}` of net {definition.name.text} has no value",
                parameter.name.span,
                help=_remedy(name, is_led(definition, name)),
            )
            continue
        else:
            found[name] = default
        scope.names[name] = found[name]


def _remedy(name: str, is_input: bool) -> str:
    """What to do about a parameter without a value, which may be meant for an input."""
    if is_input:
        return f"what comes in is declared in the body: `input {name} [28, 28, 1]`"
    return f"give it a default, `{name}=10`, or a value with `--set {name}=10`"


def _check_type(name: str, value: Any, default: Any) -> None:
    """A setting is of the kind of the default."""
    if default is None or default is POISON or value is None:
        return
    for kind, word in ((bool, "true or false"), (int | float, "a number"), (str, "a word"), (tuple, "a list")):
        if isinstance(default, kind):
            if isinstance(value, kind) and isinstance(value, bool) is isinstance(default, bool):
                return
            # as Python writes it
            meant = str(value).lower() if kind is bool and str(value).lower() in ("true", "false") else ""
            told = f"; write `{name}={meant}`" if meant else ""
            raise SettingError(f"`{name}` is {word} (by default {describe(default)}), not `{describe(value)}`{told}")


def _check_settings(scope: Scope, definition: Definition, settings: Mapping[str, Any]) -> None:
    declared = parameters(definition)
    used = {
        n.text for s in tree.inputs(definition) for z in s.sizes or () for n in tree.walk(z) if isinstance(n, tree.Name)
    }
    for name, value in settings.items():
        if name in declared:
            continue
        if name not in used:
            pool = list(dict.fromkeys([*declared, *scope.symbols, *sorted(used)]))
            help = did_you_mean(name, pool) or (f"it has {', '.join(pool)}" if pool else "it has none")
            raise SettingError(f"net {definition.name.text} has no parameter or symbolic size `{name}`; {help}")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise SettingError(f"the size `{name}` is a whole number of at least 1, not `{describe(value)}`")
