"""Sizes as an exported program writes them, `Mul(Integer(4), Symbol('s77', ...))`, as exact arithmetic on symbols."""

from __future__ import annotations

import re

from ...base.dims import ceil_div, floor_div, largest, product, symbol
from ...base.record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...base.dims import Dim

_TOKEN = re.compile(r"\s*(?:(-?\d+)|([A-Za-z_]\w*)|'([^']*)'|([(),=]))")
# how deep sizes nest
_DEEPEST = 60


class OddSize(Exception):
    """A size that the language cannot write."""


def _power(base: Dim, exponent: Dim) -> Dim:
    if not isinstance(exponent, int) or not 0 <= exponent <= 8:
        raise OddSize("a power of a size")
    return product([base] * exponent)


_FUNCTIONS: dict[str, Callable[..., Dim]] = {
    "Add": lambda *xs: sum(xs),
    "Mul": lambda *xs: product(xs),
    "Integer": lambda x: x,
    "FloorDiv": floor_div,
    "CleanDiv": floor_div,
    "CeilDiv": ceil_div,
    "Max": lambda *xs: largest(xs),
    "Pow": _power,
}


class SizeReader:
    """Reads sizes; `names` are what the symbols of the program are called."""

    def __init__(self, names: Mapping[str, Dim]) -> None:
        self.names = names
        self.known: dict[str, Dim] = {}

    def size(self, held: Mapping[str, Any]) -> Dim:
        """A size of the JSON: `{"as_int": 3}` or `{"as_expr": {"expr_str": ...}}`. Raises OddSize."""
        if "as_int" in held:
            return int(held["as_int"])
        text = held.get("as_expr", {}).get("expr_str", "")
        if text not in self.known:
            self.known[text] = self.read(text)
        return self.known[text]

    def read(self, text: str) -> Dim:
        """The size that a text says. Raises OddSize."""
        tokens = [m.groups() for m in _TOKEN.finditer(text)]
        size, end = self._term(tokens, 0, 0)
        if end != len(tokens):
            raise OddSize(text)
        return size

    def _term(self, tokens: list[Any], at: int, depth: int) -> tuple[Dim, int]:
        if at >= len(tokens) or depth > _DEEPEST:
            raise OddSize("a size that breaks off")
        number, word, _, _ = tokens[at]
        if number is not None:
            return int(number), at + 1
        if word == "Symbol":
            name = tokens[at + 2][2] if at + 2 < len(tokens) else None
            end = next((i for i in range(at, len(tokens)) if tokens[i][3] == ")"), len(tokens))
            if name is None:
                raise OddSize("a symbol without a name")
            return self.names.get(name, symbol(name)), end + 1
        function = _FUNCTIONS.get(word or "")
        if function is None:
            raise OddSize(f"the size `{word}`")
        inner, at = [], at + 2
        while at < len(tokens) and tokens[at][3] != ")":
            part, at = self._term(tokens, at, depth + 1)
            inner.append(part)
            at += at < len(tokens) and tokens[at][3] == ","
        return function(*inner), at + 1


def ratio(size: Dim, by: Dim) -> Dim | None:
    """One size over another where that is whole, else None."""
    if isinstance(size, int) and isinstance(by, int):
        return size // by if by and size % by == 0 else None
    if size == by:
        return 1
    if isinstance(size, int) or by == 1:
        return None if isinstance(size, int) else size
    found = floor_div(size, by)
    return found if found * by == size else None
