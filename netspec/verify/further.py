"""Further values: what the arguments of generated code are tried at beside their defaults."""

from __future__ import annotations

import ast
from itertools import combinations, islice, product

from ..base.record import TYPE_CHECKING, Record
from ..layers.arguments import Word
from ..syntax import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

# so many values of each of two arguments
_DEEP = 12
# words of the language that take one another's place
_WORDS = (("same", "valid"), ("relu", "tanh", "sigmoid", "gelu"), ("avg", "max"))


class CodeArgument(Record):
    """An argument of a class or function. `default` is None for none, too; `required` tells these two apart."""

    name: str
    default: Any
    required: bool


def arguments(text: str, name: str = "") -> tuple[CodeArgument, ...]:
    """The arguments that make an object of a class, or call a function, of generated code; of its last definition where
    no name is given. A default that is no literal, such as a function of a framework, is left out."""
    made = _definition(text, name)
    if made is None:
        return ()
    words = made.args.args
    first = len(words) - len(made.args.defaults)
    found: list[CodeArgument] = []
    for place, word in enumerate(words):
        if place < first:
            found.append(CodeArgument(word.arg, None, True))
        else:
            found += _with_default(word.arg, made.args.defaults[place - first])
    return tuple(a for a in found if a.name != "self")


def _definition(text: str, name: str) -> ast.FunctionDef | None:
    """The function that is called: that of the name, or what makes an object of a class."""
    nodes = [n for n in ast.parse(text).body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    named = [n for n in nodes if n.name == name or not name]
    if not named or isinstance(named[-1], ast.FunctionDef):
        return named[-1] if named else None  # type: ignore[return-value]  # mypy does not narrow elements of a list
    return next((n for n in named[-1].body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)


def _with_default(name: str, node: ast.expr) -> Iterator[CodeArgument]:
    try:
        yield CodeArgument(name, ast.literal_eval(node), False)
    except ValueError:
        return


# --- values ----------------------------------------------------------------------------------------------------------


def further(value: Any, literals: Sequence[int] = ()) -> Iterator[Any]:
    """Other values of the kind of a value, those first that tell most. `literals` are numbers that stand in the spec:
    what is on this side of one may be another net than what is on the other side."""
    seen = [value]
    for other in _others(value, literals):
        if not any(type(other) is type(s) and other == s for s in seen):
            seen.append(other)
            yield other


def in_pairs(names: Sequence[str], values: Callable[[str], Iterator[Any]]) -> Iterator[dict[str, Any]]:
    """Other values for each two of some names at once: for all pairs the first that tell most, then others."""
    found = {name: list(islice(values(name), _DEEP)) for name in names}
    pairs = [(a, b) for a, b in combinations(found, 2) if found[a] and found[b]]
    for turn, (a, b) in product(range(_DEEP), pairs):
        # at another pace than the other, so that they do not grow together
        yield {a: found[a][turn % len(found[a])], b: found[b][(2 * turn + 1) % len(found[b])]}


def _others(value: Any, literals: Sequence[int]) -> Iterable[Any]:
    for kind, make in _KINDS:
        if isinstance(value, kind):
            return make(value, literals)
    return ()


def _whole(value: int, literals: Sequence[int]) -> Iterator[Any]:
    near = [n + d for n in literals for d in (0, 1, -1)]
    beyond = [n for n in near if value < n <= 8 * value + 8]
    above = [2 * value, value + 1, 2 * value + 1, value + 2, *beyond, 5 * value]
    below = [value // 2, value - 1, *(n for n in near if n < value), value // 2 + 1, 3 * value // 4, 3, 2, 1]
    small = [value * 0.5, value * 1.4, value * 0.75] if value < 3 else []
    yield from small
    yield from (n for pair in _alternating(above, [n for n in below if n > 0]) for n in pair)
    yield from [0, value * 0.5, value * 1.4] if value >= 3 else [0]


def _alternating(above: Sequence[int], below: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for place in range(max(len(above), len(below))):
        yield (*above[place : place + 1], *below[place : place + 1])


def _real(value: float, _literals: Sequence[int]) -> Iterator[Any]:
    yield from (value * 0.5, value * 1.4, value * 0.75, 1, 2, 0.1)


def _tuple(value: tuple[Any, ...], literals: Sequence[int]) -> Iterator[Any]:
    """One element at a time, then all, then fewer and more of them."""
    for place, element in enumerate(value):
        for other in list(further(element, literals))[:2]:
            yield (*value[:place], other, *value[place + 1 :])
    yield tuple(next(iter(further(element, literals)), element) for element in value)
    yield from (value[:-1], (*value, *value[-1:]))


def _word(value: str, _literals: Sequence[int]) -> Iterator[Any]:
    yield from (Word(other) for words in _WORDS if value in words for other in words)


def _nothing(_value: None, literals: Sequence[int]) -> Iterator[Any]:
    yield from (1, 2, 3, *literals)


_KINDS: tuple[tuple[Any, Callable[[Any, Sequence[int]], Iterable[Any]]], ...] = (
    (bool, lambda value, _: (not value,)),
    (int, _whole),
    (float, _real),
    (tuple, _tuple),
    (str, _word),
    (type(None), _nothing),
)


def literals(node: tree.Node) -> list[int]:
    """The whole numbers that stand in a part of a spec, each once."""
    found = (n.value for n in tree.walk(node) if isinstance(n, tree.Literal))
    return list(dict.fromkeys(n for n in found if isinstance(n, int)))
