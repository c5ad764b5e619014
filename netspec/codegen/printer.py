"""The forms of code between the phases as text, for people and for tests.

A line is one step: `%3, %4 = name(%1, %2): expression`. `%n` are values by their numbers, `$k` in an expression is the
k-th operand of the step. Where a layer is several expressions, those behind the first take as `$k` the values that the
layer has come to, such as the states of a recurrence behind its sequence.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING
from ..pycode.expr import Raw, fill, inline
from ..pycode.names import taken_by
from .ir import REQUIRED, Choice, Invoke, Leaf, Loop, ModuleChain, constructed
from .lowering.lower import LoweredCall, LoweredStep, entered, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..layers.base import Apply
    from ..layers.cell_uses import CellForm
    from ..pycode.expr import Code as Expression
    from .ir import Node, Template
    from .lowering.lower import Lowered, LoweredBody

_INDENT = "  "


# --- lowered bodies ------------------------------------------------------------------------------------------------


def print_lowered(net: LoweredBody) -> str:
    """All bodies that a lowered net is made of, callees first."""
    return "\n".join(line for code in _bodies(net, {}) for line in [*_body(code), ""]).rstrip() + "\n"


def _bodies(code: LoweredBody, seen: dict[Any, LoweredBody]) -> list[LoweredBody]:
    if key_of(code) not in seen:
        for item in entered((*code.items, *code.starts)):
            _bodies(item.code, seen)
        seen[key_of(code)] = code
    return list(seen.values())


def _body(code: LoweredBody) -> Iterator[str]:
    body = code.body
    given = (f"{name}={value}" for name, value in body.arguments.items())
    yield f"{body.definition.word} {body.name}({', '.join(given)})"
    for number, port in zip(code.inputs, body.inputs):
        yield f"{_INDENT}input {_value(number)} = {port.name} [{', '.join(map(str, port.value.shape))}]"
    yield from _indented(_items(code.items))
    if code.starts:
        yield f"{_INDENT}start"
        yield from _indented(_indented(_items(code.starts)))
    yield f"{_INDENT}return {_values(code.outputs)}"


def _items(items: Iterable[Lowered]) -> Iterator[str]:
    for item in items:
        if isinstance(item, LoweredStep):
            yield _step(item.name or "convert", item.inputs, item.outputs, _expressions(item.use.steps))
        elif isinstance(item, LoweredCall):
            yield _step(item.name, item.inputs, item.outputs, _called(item.code.body.name, item.form))
        else:
            yield " ".join(filter(None, (item.region.kind, item.region.name)))
            yield from _indented(_items(item.items))


# --- templates -----------------------------------------------------------------------------------------------------


def print_templates(templates: Iterable[Template]) -> str:
    """All definitions of a program, callees first."""
    return "\n".join(line for template in templates for line in [*_template(template), ""]).rstrip() + "\n"


def _template(template: Template) -> Iterator[str]:
    parameters = (p.name if p.default is REQUIRED else f"{p.name}={inline(p.default)}" for p in template.parameters)
    yield f"define {template.name}({', '.join(parameters)})"
    yield from (f"{_INDENT}require {guard}" for guard in template.guards)
    yield from (f"{_INDENT}let {name} = {inline(code)}" for name, code in template.locals.items())
    yield from (f"{_INDENT}input {_value(value)} = {name}" for name, value in template.inputs)
    yield from _indented(_nodes(template.nodes))
    if template.first:
        yield f"{_INDENT}start {_values(template.first)}"
    yield f"{_INDENT}return {_values([value for _, value in template.outputs])}"


def _nodes(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Leaf):
            yield _step(node.name or "convert", node.inputs, node.outputs, _expressions(node.applies))
        elif isinstance(node, Invoke):
            yield _step(node.name, node.inputs, node.outputs, _called(inline(constructed(node)), node.form))
        elif isinstance(node, ModuleChain):
            yield f"{_values(node.outputs)} = chain {node.name}({_values(node.inputs)})"
            yield from _indented(_nodes(node.nodes))
        elif isinstance(node, Loop):
            yield f"for {', '.join(node.names)} in {inline(node.items)}"
            yield from (f"{_INDENT}carry {_carried(*variable)}" for variable in node.carried)
            yield from _indented(_nodes(node.nodes))
        else:
            yield from _choice(node)


def _choice(choice: Choice) -> Iterator[str]:
    for number, (condition, nodes) in enumerate(choice.branches):
        word = "if" if number == 0 else "elif"
        yield "else" if condition is None else f"{word} {inline(condition)}"
        yield from _indented(_nodes(nodes))
    for operands, own in choice.phis:
        yield f"{_value(own)} = phi({_values(operands)})"


def _carried(first: int | None, later: int, own: int) -> str:
    """A variable of a loop: what it is in the first turn, and what a turn leaves to the next."""
    return f"{_value(own)} = phi({_value(first)}, {_value(later)})"


# --- lines ---------------------------------------------------------------------------------------------------------


def _step(name: str, inputs: Seq[int], outputs: Seq[int], expressions: str) -> str:
    return f"{_values(outputs)} = {name}({_values(inputs)}): {expressions}"


def _expressions(applies: Iterable[Apply]) -> str:
    return "; ".join(_expression(apply.make, apply.call) for apply in applies)


def _called(what: str, form: CellForm | None) -> str:
    """A call of a definition; that of a cell with the layer that runs it."""
    if form is None:
        return what
    steps = ((None, form.call), *((None, apply.call) for apply in form.steps))
    return "; ".join([inline(fill(form.make, [], Raw(what))), *(_expression(*step) for step in steps)])


def _expression(make: Expression, call: Expression) -> str:
    """What is made, and where it is not only called on its operands, how."""
    if call is None:
        return inline(make)
    operands = [Raw(f"${k}") for k in range(1 + max(taken_by(call), default=0))]
    return inline(fill(call, operands, Raw("layer") if make is None else make))


def _values(numbers: Iterable[int | None]) -> str:
    return ", ".join(map(_value, numbers))


def _value(number: int | None) -> str:
    return "_" if number is None else f"%{number}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (_INDENT + line for line in lines)
