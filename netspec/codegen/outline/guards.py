"""Limits: what the arguments of a class have to be, where not every value was proved.

A witness that a class cannot stand for, and that no condition of the class excludes, is another net than the class
would make with its arguments. The class then refuses them: a bound, a number that has to divide another, two that have
to be equal; if nothing so simple tells the witness from what was proved, the arguments of the program alone are taken.
"""

from __future__ import annotations

from itertools import combinations, permutations
from math import gcd

from ...base.record import TYPE_CHECKING
from ...pycode.expr import Call, given, inline
from ..ir import Choice, Leaf, inside, opened
from ..lowering.lower import key_of
from .changes import is_small
from .terms import plain, same, window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Sequence as Seq
    from typing import Any

    from ..ir import Template, TemplateParameter
    from ..lowering.lower import LoweredBody

    Row = Mapping[str, Any]


def limited(
    template: Template, bodies: Seq[LoweredBody], admitted: Seq[LoweredBody], refused: Seq[LoweredBody]
) -> Template:
    """The template with conditions that exclude what it cannot stand for. `bodies` are those of the program, the others
    are witnesses."""
    proved = list(template.values.values())
    own = [template.values[key_of(body)] for body in bodies]
    guards = [*template.guards, *_words(template, own)]
    if any(_hangs_on_others(template, [*bodies, *admitted], name) for name in template.added):
        guards += _only(own, proved)
    rows = [row for row in (_row(template, code, bodies) for code in refused) if row is not None and row not in proved]
    rows = [row for row in rows if not _framework_refuses(template, row) and all(_holds(g, row) for g in guards)]
    while rows:
        candidates = _candidates(template, own, proved, rows[0])
        found = [(guard, [row for row in rows if _holds(guard, row)]) for guard in candidates]
        guard, rest = min(found, key=lambda pair: len(pair[1]), default=("", rows))
        if len(rest) == len(rows):
            guards += _only(own, rows)
            break
        guards, rows = [*guards, guard], rest
    return template.replace(guards=tuple(guards))


def contradictions(
    template: Template, bodies: Seq[LoweredBody], admitted: Seq[LoweredBody], refused: Seq[LoweredBody]
) -> list[LoweredBody]:
    """Those of the admitted witnesses that have the arguments of a refused one, and hold only for what the class is not
    told, such as the size of a map."""
    own = [template.values[key_of(body)] for body in bodies]
    rows = [row for row in (_row(template, code, bodies) for code in refused) if row not in own]
    return [code for code in admitted if template.values[key_of(code)] in rows]


def _hangs_on_others(template: Template, bodies: Seq[LoweredBody], name: str) -> bool:
    """Is a number that the class has to be told another one for other arguments, on maps of one size? It is taken to be
    so where no two instances have maps of one size."""
    if any(isinstance(template.values[key_of(body)][name], bool) for body in bodies):
        return False
    found: dict[Any, list[Any]] = {}
    for body in bodies:
        shapes = [port.value.shape for port in body.body.given]
        sizes = tuple(shape[:-1] if len(shape) > 2 else () for shape in shapes)
        found.setdefault(sizes, []).append(template.values[key_of(body)][name])
    alike = [values for values in found.values() if len(values) > 1]
    return not alike or not all(map(same, alike))


def _words(template: Template, own: Seq[Row]) -> Iterator[str]:
    """Words that decide between branches: behind the last branch any word would lead to it."""
    conditions = [c for n in inside(template.nodes) if isinstance(n, Choice) for c, _ in n.branches if c is not None]
    text = " ".join(map(inline, conditions))
    for parameter in template.parameters:
        values = list(dict.fromkeys(row[parameter.name] for row in own if plain(row[parameter.name])))
        if any(isinstance(v, str) for v in values) and len(values) > 1 and parameter.name in text.split():
            yield f"{parameter.name} in ({', '.join(map(inline, values))})"


def _row(template: Template, code: LoweredBody, bodies: Seq[LoweredBody]) -> Row | None:
    """The arguments with which a class would be made for a body; None where the spec does not say one of them, or where
    the body has another value for what the class is not told."""
    found: dict[str, Any] = {}
    told = {parameter.said for parameter in template.parameters}
    for name, value in code.body.arguments.items():
        if name not in told and all(body.body.arguments[name] != value for body in bodies):
            return None
    for parameter in template.parameters:
        value = _value(parameter, code)
        if value is None:
            return None
        found[parameter.name] = value
    return found


def _value(parameter: TemplateParameter, code: LoweredBody) -> Any:
    if parameter.port is not None:
        return code.body.given[parameter.port].value.shape[-1]
    return window(code.body.arguments[parameter.said]) if parameter.said else None


def _holds(guard: str, row: Row) -> bool:
    return bool(_evaluated(guard, row, True))


def _evaluated(text: str, row: Row, otherwise: Any) -> Any:
    """The value of an expression of the code for some arguments."""
    try:
        return eval(text, {"min": min, "max": max, "round": round, "int": int}, dict(row))
    except (NameError, TypeError, ArithmeticError, SyntaxError):
        return otherwise


def _framework_refuses(template: Template, row: Row) -> bool:
    """Does PyTorch say itself that it does not take these arguments? `padding="same"` goes with a stride of 1 only."""
    applies = (apply for node in opened(template.nodes) if isinstance(node, Leaf) for apply in node.applies)
    return any(isinstance(apply.make, Call) and _strided(dict(apply.make.kwargs), row) for apply in applies)


def _strided(words: Mapping[str, Any], row: Row) -> bool:
    padding, stride = (_evaluated(inline(given(words.get(name))), row, None) for name in ("padding", "stride"))
    return isinstance(padding, str) and padding == "same" and stride not in (None, 1, (1, 1))


# --- what tells them apart --------------------------------------------------------------------------------------------


def _candidates(template: Template, own: Seq[Row], proved: Seq[Row], row: Row) -> Iterator[str]:
    """Conditions that all that was proved meets, and the row does not, the simplest first; those on channels last."""
    channels = {parameter.name for parameter in template.parameters if parameter.port is not None}
    columns = {name: list(dict.fromkeys(p[name] for p in proved)) for name in row}
    names = sorted(row, key=lambda name: (name in channels, len(columns[name])))
    numbers = [name for name in names if all(type(v) is int for v in (row[name], *columns[name]))]
    for name in names:
        yield from _bounds(name, row[name], columns[name], [one[name] for one in own])
    for one, other in combinations(numbers, 2):
        if row[one] != row[other] and all(p[one] == p[other] for p in proved):
            yield f"{one} == {other}"
    modes = [name for name in names if name not in channels and all(map(_is_mode, (row[name], *columns[name])))]
    for one, other in permutations(modes, 2):
        with_it = {inline(p[one]) for p in proved if p[other] == row[other]}
        if len(with_it) == 1 and inline(row[one]) not in with_it and plain(row[other]):
            yield f"{_is(one, with_it.pop())} or {_is(other, inline(row[other]), not_it=True)}"
    for name in numbers:
        if row[name] % gcd(*columns[name]):
            yield f"{name} % {gcd(*columns[name])} == 0"


def _is_mode(value: Any) -> bool:
    """Does a value tell one way from another, and not how large something is?"""
    return value is None or isinstance(value, bool | str) or (type(value) is int and is_small(value))


def _is(name: str, value: str, not_it: bool = False) -> str:
    """That an argument is a value, or is not, as people write it of truth values and None, too."""
    if value in ("True", "False"):
        return name if (value == "True") != not_it else f"not {name}"
    if value == "None":
        return f"{name} is not None" if not_it else f"{name} is None"
    return f"{name} {'!=' if not_it else '=='} {value}"


def _one_of(name: str, values: Seq[str]) -> str:
    return _is(name, values[0]) if len(values) == 1 else f"{name} in [{', '.join(values)}]"


def _bounds(name: str, value: Any, proved: Seq[Any], own: Seq[Any]) -> Iterator[str]:
    """What all values of an argument are, and another one is not. Between those of the program (`own`) nothing is
    proved where there are no others."""
    if value not in proved and all(one in own for one in proved):
        yield _one_of(name, [inline(one) for one in proved])
    elif all(type(v) is int for v in (value, *proved)):
        if value > max(proved):
            yield f"{name} <= {max(proved)}"
        elif value < min(proved):
            yield f"{name} >= {min(proved)}"


def _only(own: Seq[Row], rows: Seq[Row]) -> list[str]:
    """The arguments of the program, where these differ from those that were refused."""
    names = [name for name in own[0] if len({inline(row[name]) for row in (*own, *rows)}) > 1]
    if not names:
        return []
    listed = dict.fromkeys(", ".join(inline(row[name]) for name in names) for row in own)
    if len(names) == 1:
        return [f"{names[0]} in [{', '.join(listed)}]"]
    return [f"({', '.join(names)}) in [{', '.join(f'({row})' for row in listed)}]"]
