"""Sizes with symbols: exact, and one form for equal sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from netspec.base.diagnostics import Collector
from netspec.base.dims import DimExpr, ceil_div, floor_div, largest, product, show, substitute, symbol, symbols
from netspec.base.source import Source
from netspec.elaborate.rules import begin
from netspec.elaborate.scope import Scope
from netspec.ir.types import Design
from netspec.syntax import tree
from netspec.syntax.parser import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from netspec.base.dims import Dim

NAMES = ("N", "M", "T")
n, m, t = (symbol(name) for name in NAMES)

# An expression is a function of the values of its symbols, so that it can be worked out twice: on symbols, and on
# numbers. The two must agree wherever the symbols stand for these numbers.
Expression = "Callable[[dict[str, Any]], Any]"


def _leaf() -> st.SearchStrategy[Any]:
    names = st.sampled_from(NAMES).map(lambda name: lambda at: at[name])
    return names | st.integers(-7, 7).map(lambda number: lambda at: number)


def _summed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.tuples(inner, inner).map(lambda p: lambda at: p[0](at) + p[1](at)),
        st.tuples(inner, inner).map(lambda p: lambda at: p[0](at) - p[1](at)),
        st.tuples(inner, inner).map(lambda p: lambda at: p[0](at) * p[1](at)),
        inner.map(lambda e: lambda at: -e(at)),
        inner.map(lambda e: lambda at: e(at) ** 2),
    )


# what is never 0: a number times sizes, which may be negative
products = st.tuples(
    st.sampled_from([-3, -2, -1, 1, 2, 3, 4, 6]), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)
).map(lambda p: lambda at: product([p[0], *(at[name] for name in p[1])]))


def _joined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    divisors = st.sampled_from([-3, -2, -1, 1, 2, 3, 4, 7])
    return st.one_of(
        _summed(inner),
        st.tuples(inner, divisors).map(lambda p: lambda at: floor_div(p[0](at), p[1])),
        st.tuples(inner, divisors).map(lambda p: lambda at: ceil_div(p[0](at), abs(p[1]))),
        st.tuples(inner, divisors).map(lambda p: lambda at: p[0](at) % abs(p[1])),
        st.tuples(inner, st.sampled_from(NAMES)).map(lambda p: lambda at: floor_div(p[0](at), at[p[1]])),
        st.tuples(inner, products).map(lambda p: lambda at: floor_div(p[0](at), p[1](at))),
        st.tuples(inner, products).map(lambda p: lambda at: floor_div(p[0](at) * p[1](at), p[1](at))),
    )


polynomials = st.recursive(_leaf(), _summed, max_leaves=8)
expressions = st.recursive(_leaf(), _joined, max_leaves=8)
values = st.fixed_dictionaries({name: st.integers(1, 60) for name in NAMES})
SYMBOLS: dict[str, Any] = {name: symbol(name) for name in NAMES}


@given(expressions, values)
def test_symbols_and_numbers_agree(expression: Callable[[dict[str, Any]], Any], at: dict[str, int]) -> None:
    assert substitute(expression(SYMBOLS), at) == expression(at)


@given(expressions, expressions, values)
def test_equal_forms_are_equal_sizes(left: Any, right: Any, at: dict[str, int]) -> None:
    a, b = left(SYMBOLS), right(SYMBOLS)
    if a == b:
        assert left(at) == right(at)
        assert hash(a) == hash(b)
        assert str(a) == str(b)


@given(expressions, expressions, expressions)
def test_the_form_does_not_depend_on_the_way(x: Any, y: Any, z: Any) -> None:
    a, b, c = x(SYMBOLS), y(SYMBOLS), z(SYMBOLS)
    assert a + b == b + a
    assert a * b == b * a
    assert (a + b) + c == a + (b + c)
    assert a * (b + c) == a * b + a * c
    assert a - a == 0
    assert (a + b) - b == a
    assert a * 0 == 0


@given(expressions, st.integers(1, 9), st.integers(-20, 20))
def test_what_divides_evenly_leaves_no_division(expression: Any, divisor: int, rest: int) -> None:
    size = expression(SYMBOLS)
    assert floor_div(size * divisor + rest, divisor) == size + rest // divisor
    assert (size * divisor + rest) % divisor == rest % divisor


@given(polynomials, st.integers(1, 6), st.integers(1, 6))
def test_a_division_of_a_division_is_one(expression: Any, first: int, second: int) -> None:
    size = expression(SYMBOLS)
    assert ceil_div(ceil_div(size, first), second) == ceil_div(size, first * second)
    assert floor_div(floor_div(size, first), second) == floor_div(size, first * second)


@given(expressions, values)
def test_replacing_bit_by_bit(expression: Any, at: dict[str, int]) -> None:
    size = expression(SYMBOLS)
    half = substitute(size, {"N": at["N"]})
    assert "N" not in symbols(half)
    assert substitute(half, at) == substitute(size, at)
    assert substitute(size, SYMBOLS) == size
    assert set(symbols(size)) <= set(NAMES)


@given(
    st.lists(expressions, min_size=1, max_size=4), st.lists(expressions, min_size=1, max_size=3), expressions, values
)
def test_the_largest_of_sizes(first: Any, second: Any, more: Any, at: dict[str, int]) -> None:
    """Also of sums of largest ones, and whatever of them can be seen to be the smaller."""
    one, other = largest([e(SYMBOLS) for e in first]), largest([e(SYMBOLS) for e in second])
    whole = largest([one + more(SYMBOLS), other, one * n])
    a, b = max(e(at) for e in first), max(e(at) for e in second)
    assert substitute(whole, at) == max(a + more(at), b, a * at["N"])
    assert largest([whole, whole]) == whole
    assert substitute(substitute(whole, {"N": at["N"]}), at) == substitute(whole, at)


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ((3, 5), "5"),
        ((t, 1), "T"),
        ((t, 2), "max(2, T)"),
        ((t, 2 * t, t + 1), "2*T"),
        ((n, t), "max(N, T)"),
        ((t, n, t), "max(N, T)"),
        ((n + t, 2 * t), "T + max(N, T)"),
        ((t, floor_div(t, 2)), "T"),
        ((t, ceil_div(t, 2)), "T"),
        ((t - 2, ceil_div(t, 2)), "max(T - 2, ceil(T/2))"),
        ((n * t, n, t), "N*T"),
        ((largest((n, t)), m), "max(M, N, T)"),
        ((largest((n, t)) + m, n), "M + max(N, T)"),
        ((largest((n, t)) + t, 2 * t), "T + max(N, T)"),
        ((largest((n, t)) * m, n), "max(M*N, M*T)"),
    ],
)
def test_the_largest_of_sizes_as_text(sizes: Any, shown: str) -> None:
    assert {str(largest(sizes)), str(largest(sizes[::-1]))} == {shown}


def _read(text: str) -> Dim:
    """What the language makes of a size that it has shown."""
    source, faults = Source("size", f"const size = {text}\n"), Collector()
    node = parse(source, faults).definitions[0]
    assert isinstance(node, tree.Const)
    blank = tree.Definition(node.span, "net", node.name, (), tree.Braces(node.span, ()), "")
    scope = Scope(begin(Design(source, (), {}, {}), faults), blank, {}, ())
    scope.names.update(SYMBOLS)
    value: Dim = scope.evaluate(node.value)
    assume(not any(d.code == "too-large" for d in faults.all))  # a power that no size of a net has
    assert not faults.all, faults.all
    return value


@settings(max_examples=60)
@given(expressions)
def test_what_is_shown_reads_back(expression: Any) -> None:
    size = expression(SYMBOLS)
    assert _read(str(size)) == size


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (n + 1, "N + 1"),
        (1 + n, "N + 1"),
        ((2 * n + 4) // 2, "N + 2"),
        (n - n, "0"),
        (ceil_div(n, 2), "ceil(N/2)"),
        ((n + 1) // 2, "ceil(N/2)"),
        (n // 2, "floor(N/2)"),
        (ceil_div(ceil_div(n, 2), 2), "ceil(N/4)"),
        (ceil_div(n + m, 3), "ceil((M + N)/3)"),
        ((4 * n + 3) // 6, "floor((2*N + 1)/3)"),
        (n * m - 3, "M*N - 3"),
        (n * n, "N**2"),
        (2 * n - 7, "2*N - 7"),
        (-n, "-N"),
        (n // m, "floor(N/M)"),
        (floor_div(n * m, m), "N"),
        (floor_div(n, n), "1"),
        (ceil_div(3 * n // 2, 2), "floor((3*N + 2)/4)"),
        ((n + 5) % 2, "N - 2*ceil(N/2) + 1"),
    ],
)
def test_how_sizes_are_shown(size: Dim, shown: str) -> None:
    assert str(size) == shown


@pytest.mark.parametrize(
    ("top", "bottom", "shown"),
    [
        # whole where every term holds the product and its number, in whatever order
        (6 * n + 4 * n * m, 2 * n, "2*M + 3"),
        (6 * n * n * m, 3 * n * m, "2*N"),
        (n * m * t, n * t, "M"),
        (-4 * n * m, 2 * n, "-2*M"),
        (4 * n * m, -2 * n, "-2*M"),
        # and left as it is where a number does not divide, or a symbol is missing or has too low a power
        (3 * n + 3 * n * m, 2 * n, "floor((3*M*N + 3*N)/(2*N))"),
        (4 * n + 3 * n * m, 2 * n, "floor((3*M*N + 4*N)/(2*N))"),
        (n * m + t, n * m, "floor((M*N + T)/(M*N))"),
        (n * m, n * n, "floor(M*N/N**2)"),
        (6 * n * m, 3 * n * t, "floor(6*M*N/(3*N*T))"),
        (n * m + 1, n, "floor((M*N + 1)/N)"),
        (n * m, n + m, "floor(M*N/(M + N))"),
        (7, 2 * n, "floor(7/(2*N))"),
        (0, 2 * n, "0"),
        (2 * n + 2 * m, n + m, "floor((2*M + 2*N)/(M + N))"),
        (n + m, n + m, "1"),
    ],
)
def test_division_by_products(top: Dim, bottom: Dim, shown: str) -> None:
    found = floor_div(top, bottom)
    assert str(found) == shown
    for a in range(1, 6):
        for b in range(1, 6):
            at: dict[str, Dim] = {"N": a, "M": b, "T": a + b}
            wanted = substitute(top, at), substitute(bottom, at)
            assert isinstance(wanted[0], int)
            assert isinstance(wanted[1], int)
            assert substitute(found, at) == wanted[0] // wanted[1]


def test_shapes_and_products() -> None:
    assert show((224, n, 3)) == "[224, N, 3]"
    assert product(()) == 1
    assert product((n, 2, m)) == 2 * n * m
    assert isinstance(product((n, 2)), DimExpr)


def test_nothing_divides_by_zero() -> None:
    with pytest.raises(ZeroDivisionError):
        floor_div(n, 0)
    with pytest.raises(ZeroDivisionError):
        floor_div(4, n - n)


def test_a_size_is_immutable() -> None:
    with pytest.raises(AttributeError):
        n.terms = ()  # type: ignore[misc, union-attr]  # this is what must fail
