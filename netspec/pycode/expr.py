"""Python text as values.

Emitters and layers build expressions from these records; `inline` writes one on a line, and `pylines.lay_out` breaks
it. Leaves may be numbers, words (`str`, quoted), `None`, booleans, tuples and lists.
"""

from __future__ import annotations

from ..base.record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    Code: TypeAlias = "Any"  # a record of this module, or a plain leaf


class Raw(Record):
    """Text that is a Python expression already."""

    text: str


class X(Record):
    """The value that a layer is applied to: the first, or the one of that index."""

    index: int = 0


class Made(Record):
    """The module or layer that was constructed for a step, in the expression that applies it."""


class Call(Record):
    """`func(*args, **kwargs)`; `func` is dotted text or an expression."""

    func: Code
    args: tuple[Code, ...] = ()
    kwargs: tuple[tuple[str, Code], ...] = ()


class Attr(Record):
    """`value.name`"""

    value: Code
    name: str


class Index(Record):
    """`value[items]`; an item may be a `slice`."""

    value: Code
    items: tuple[Code, ...]


class Infix(Record):
    """`left op right`, in brackets inside another one."""

    left: Code
    op: str
    right: Code


class Star(Record):
    """`*value` in a list of arguments."""

    value: Code


class Named(Record):
    """`name=value`, a parameter with its default."""

    name: str
    value: Code


class Bare(Record):
    """`a, b`: a tuple without brackets, where it fits on its line."""

    items: tuple[Code, ...]


class Generator(Record):
    """`element for names in items`, the only argument of a call, the only item of a list, or in brackets of its own."""

    element: Code
    names: str
    items: Code


def call(func: Code, *args: Code, **kwargs: Code) -> Call:
    """`func(*args, **kwargs)`."""
    return Call(func, args, tuple(kwargs.items()))


def method(value: Code, name: str, *args: Code, **kwargs: Code) -> Call:
    """`value.name(*args, **kwargs)`."""
    return Call(Attr(value, name), args, tuple(kwargs.items()))


class Opt(Record):
    """The value of a named argument that is not written where it equals the default."""

    default: Code
    value: Code


def given(code: Code) -> Code:
    """What a named argument is, whether it is written or not."""
    return code.value if isinstance(code, Opt) else code


def unless(default: Code, **named: Code) -> dict[str, Code]:
    """A named argument that is written only where it differs from the framework's default: `unless(1, stride=2)`."""
    return {name: Opt(default, given) for name, given in named.items()}


def written(kwargs: Sequence[tuple[str, Code]]) -> list[tuple[str, Code]]:
    """The named arguments that are not at their defaults."""
    found = []
    for name, value in kwargs:
        if isinstance(value, Opt):
            if value.value == value.default and type(value.value) is type(value.default):
                continue
            value = value.value
        found.append((name, value))
    return found


# what has no parts: most of what is asked
_WHOLE = frozenset((X, Raw, Made, str, int, float, bool, type(None)))


def each_part(code: Code, change: Callable[[Code], Code]) -> Code:
    """The expression with `change` applied to each of its parts, but not to what is inside them."""
    if code.__class__ in _WHOLE:
        return code
    if isinstance(code, tuple | list):
        return type(code)([change(c) for c in code])
    if isinstance(code, slice):
        return slice(*(change(c) for c in (code.start, code.stop, code.step)))
    if isinstance(code, Record):
        return type(code)(*[change(v) for v in code.__dict__.values()])
    return code


def rebuild(code: Code, change: Callable[[Code], Code]) -> Code:
    """The expression with `change` applied to each part, the inner ones first."""
    return change(each_part(code, lambda part: rebuild(part, change)))


def fill(code: Code, values: Sequence[Code], made: Code = None) -> Code:
    """The expression with each `X(i)` replaced by `values[i]`, and `Made()` by what was constructed."""
    return rebuild(code, lambda c: values[c.index] if isinstance(c, X) else made if isinstance(c, Made) else c)


def inline(code: Code) -> str:
    """The expression on one line."""
    return _WRITERS.get(type(code), _word if isinstance(code, str) else repr)(code)


def _word(code: str) -> str:
    """A string in the quotes that the formatter chooses. `##` would begin a command of services that read logs."""
    # with this sign in it, `repr` writes it in single quotes
    body = repr(code + '"')[1:-2].replace("##", "#\\x23")
    if code.count('"') > code.count("'"):
        return f"'{body}'"
    return '"' + body.replace('"', '\\"').replace("\\'", "'") + '"'


def _items(code: Sequence[Code]) -> str:
    return ", ".join(inline(c) for c in code)


def _tuple(code: tuple[Code, ...]) -> str:
    return f"({inline(code[0])},)" if len(code) == 1 else f"({_items(code)})"


def _float(code: float) -> str:
    text = repr(code)
    if text in ("inf", "-inf", "nan"):
        return f'float("{text}")'
    return text.replace("e-0", "e-").replace("e+0", "e")


def _slice(code: slice) -> str:
    def part(value: Code) -> str:
        return "" if value is None else inline(value)

    start, stop, step = part(code.start), part(code.stop), part(code.step)
    if any(not side.removeprefix("-").replace("_", "").isalnum() for side in (start, stop, step) if side):
        return f"{start} : {stop}{' : ' * bool(step)}{step}".strip()
    return f"{start}:{stop}{':' * bool(step)}{step}"


def _index(code: Index) -> str:
    return operand(code.value) + items_of(code)


def items_of(code: Index) -> str:
    return f"[{', '.join('...' if c is ... else inline(c) for c in code.items)}]"


def operand(code: Code) -> str:
    loose = isinstance(code, Infix) or (isinstance(code, Raw) and _is_loose(code.text))
    return f"({inline(code)})" if loose else inline(code)


def _is_loose(text: str) -> bool:
    """Is a text an operation, which needs brackets within another one?"""
    return " " in text and any(depth == 0 and text[place] == " " for place, depth in _depths(text))


def _depths(text: str) -> list[tuple[int, int]]:
    """How many brackets are open before each place."""
    found, depth = [], 0
    for place, sign in enumerate(text):
        depth -= sign in ")]"
        found.append((place, depth))
        depth += sign in "(["
    return found


def _infix(code: Infix) -> str:
    before, behind = left(code), right(code)
    if code.op == "**" and _is_simple(before) and _is_simple(behind):
        return f"{before}**{behind}"
    return f"{before} {code.op} {behind}"


def _is_simple(text: str) -> bool:
    """A name or number, around which no spaces stand in a power."""
    return text.removeprefix("-").replace(".", "").replace("_", "").isalnum()


def is_chain(code: Infix) -> bool:
    """Is it `a + b + c`, which needs no brackets?"""
    return isinstance(code.left, Infix) and code.left.op == code.op != "**"


def left(code: Infix) -> str:
    return _infix(code.left) if is_chain(code) or _is_product(code, code.left) else operand(code.left)


def right(code: Infix) -> str:
    """The right side; a power needs no brackets behind a product or quotient."""
    side = code.right
    tight = isinstance(side, Infix) and side.op == "**" and code.op in ("*", "/")
    return _infix(side) if tight or _is_product(code, side) else operand(side)


def _is_product(code: Infix, side: Code) -> bool:
    """Is a side of a sum a product, which needs no brackets?"""
    return code.op in ("+", "-") and isinstance(side, Infix) and side.op in ("*", "/", "@")


def callee(code: Code) -> str:
    return code if isinstance(code, str) else operand(code)


def generator(code: Generator) -> str:
    return f"{inline(code.element)} for {code.names} in {inline(code.items)}"


def is_comprehension(code: Code) -> bool:
    return isinstance(code, list) and len(code) == 1 and isinstance(code[0], Generator)


def arguments(code: Call) -> list[Code]:
    if len(code.args) == 1 and isinstance(code.args[0], Generator) and not code.kwargs:
        return [Raw(generator(code.args[0]))]
    return [*code.args, *(Raw(f"{name}={inline(value)}") for name, value in written(code.kwargs))]


_WRITERS: dict[type, Callable[[Any], str]] = {
    Raw: lambda c: c.text,
    str: _word,
    float: _float,
    list: lambda c: f"[{generator(c[0]) if is_comprehension(c) else _items(c)}]",
    tuple: _tuple,
    slice: _slice,
    Attr: lambda c: f"{operand(c.value)}.{c.name}",
    Index: _index,
    Star: lambda c: f"*{inline(c.value)}",
    Named: lambda c: f"{c.name}={inline(c.value)}",
    Bare: lambda c: _items(c.items),
    Infix: _infix,
    Generator: lambda c: f"({generator(c)})",
    Call: lambda c: f"{callee(c.func)}({_items(arguments(c))})",
}
