"""The bench of planted bugs: what it changes, and that it knows tests for each folder."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bench.mutants.__main__ import drawn, main
from bench.mutants.covering import FRAMEWORKS, QUICK, files
from bench.mutants.planting import mutations, parses

ROOT = Path(__file__).parents[2]


def planted(text):
    """The kinds and texts of all bugs of a line of code."""
    source = text.encode()
    return {(m.kind, m.planted(source).decode()) for m in mutations("x.py", source) if parses(m, source)}


@pytest.mark.parametrize(
    ("text", "kind", "made"),
    [
        ("a < b", "comparison", "a <= b"),
        ("a is not b", "comparison", "a is b"),
        ("a < b == c", "comparison", "a < b != c"),
        ("a + b * 2", "operator", "a + b + 2"),
        ("a - b", "operands", "(b) - (a)"),
        ("(a + b) // c", "operands", "(c) // (a + b)"),
        ("f(1)", "constant", "f(2)"),
        ("f(1)", "constant", "f((0))"),
        ("f(True)", "constant", "f(False)"),
        ("if a:\n    b()", "negated", "if (not (a)):\n    b()"),
        ("if a:\n    b()", "dropped", "if False:\n    b()"),
        ("x = a if b else c", "one side", "x = (c)"),
        ("[a for a in b if a > 0]", "filter dropped", "[a for a in b if True]"),
        ("a and b and c", "condition dropped", "((a) and (c))"),
        ("a or b", "and, or", "a and b"),
        ("not a", "sign dropped", "(a)"),
        ("max(a, b)", "function", "min(a, b)"),
        ("sorted(a)", "call dropped", "(a)"),
        ("é = 'é' if a > 1 else b", "comparison", "é = 'é' if a >= 1 else b"),
    ],
)
def test_bugs(text, kind, made):
    assert (kind, made) in planted(text)


@pytest.mark.parametrize(
    "text",
    [
        "if TYPE_CHECKING:\n    x = 1",
        "def f(a: Literal[1] = b) -> Literal[2]:\n    '''Three: 3 - 4.'''",
        "x: tuple[int, 3] = a",
        "f'{a - b}'",
        "'a' % b + 'c'",
    ],
)
def test_what_is_no_place_for_one(text):
    assert planted(text) == set()


def test_each_folder_has_its_tests():
    folders = {path.parent.name for path in (ROOT / "netspec").glob("*/*.py")} | {""}
    assert QUICK.keys() == FRAMEWORKS.keys() == folders
    for folder in folders:
        for frameworks in (False, True):
            assert all((ROOT / file).exists() for file in files(folder, frameworks))


def test_a_seed_draws_the_same_bugs():
    one, again, other = drawn("weights", 20, 0), drawn("weights", 20, 0), drawn("weights", 20, 1)
    assert one == again != other
    assert len({(m.file, m.line) for m in one}) == 20
    for mutation in one:
        source = (ROOT / mutation.file).read_bytes()
        assert ast.dump(ast.parse(mutation.planted(source))) != ast.dump(ast.parse(source))


def test_the_list(capsys):
    assert main(["--count", "18", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 18
    assert {line.split()[0] for line in lines} == {folder or "." for folder in QUICK}
