"""What is worked out when a spec is compiled, held against Python, and its limits."""

from __future__ import annotations

import math

import pytest
from checking import check

WORLD = {
    "min": min,
    "max": max,
    "abs": abs,
    "sum": sum,
    "len": len,
    "range": range,
    "round": round,
    "ceil": math.ceil,
} | {
    "floor": math.floor,
    "log2": math.log2,
    "sqrt": math.sqrt,
}


def holds(*conditions):
    """What is said of conditions."""
    lines = "\n".join(f" expect {condition}" for condition in conditions)
    return [d.code for d in check(f"net n {{ input x [4]\n dense(2)\n{lines}\n}}").diagnostics]


@pytest.mark.parametrize(
    "text",
    [
        *("7 // 2", "-7 // 2", "7 % 3", "-7 % 3", "7 % -3", "2 ** 10", "2 ** 3 ** 2", "-2 ** 2", "7 / 2", "6 / 2"),
        *(
            "1 - 2 - 3",
            "2 + 3 * 4",
            "(2 + 3) * 4",
            "1 + 2 == 3",
            "1 < 2 and 2 < 3",
            "not 1 < 2",
            "1 < 2 or 1 / 1 == 2",
            "1 < 2 < 3",
        ),
        *("3 > 2 > 2", "2 >= 2", "2 <= 1", "1 != 1", "3 in [1, 2, 3]", "4 not in [1, 2, 3]", "[1, 2] + [3]"),
        *(
            "[1, 2] == [1, 2]",
            "min(3, 1, 2)",
            "max(3, 1, 2)",
            "min([3, 1])",
            "abs(-3)",
            "sum([1, 2, 3])",
            "len([1, 2])",
            "round(2.5)",
            "round(3.5)",
        ),
        *(
            "ceil(2.1)",
            "floor(-2.1)",
            "log2(8)",
            "sqrt(16)",
            "[i * i for i in range(4)]",
            "[i for i in range(2, 9, 3)]",
        ),
        *(
            "[i for i in range(9) if i % 2 == 1]",
            "[1, 2, 3][1]",
            "[1, 2, 3][-1]",
            "5 if 1 > 2 else 6",
            "1e3",
            "0.1 + 0.2",
        ),
        *("10 ** 15 + 1", "1 == 1.0", "len([])", "sum([])", "max(2, 2.5)"),
    ],
)
def test_python_says_the_same(text):
    value = eval(text, {"__builtins__": {}, **WORLD})
    told = str(value).lower() if isinstance(value, bool) else repr(value)
    assert holds(f"({text}) == ({told})") == []
    assert holds(f"({text}) != ({told})") == ["expectation-failed"]


@pytest.mark.parametrize(
    "text", ["1 // 0", "1 % 0", "1 / 0", "[1, 2][2]", "1 in 2", "len(3)", "sqrt(-1)", "min([])", "log2(0)"]
)
def test_what_has_no_value(text):
    (code,) = holds(f"({text}) == 1")
    assert code != "expectation-failed"


@pytest.mark.parametrize(
    ("turns", "count"),
    [("5..15", 10), ("0..10", 10), ("-5..5", 10), ("3..3", 0), ("4..1", 0), ("5..16", None), ("-6..5", None)],
)
def test_how_many_turns_a_loop_may_have(turns, count, monkeypatch):
    monkeypatch.setattr("netspec.consteval.LONGEST", 10)
    net = check(f"net n {{ input x [4]\n for i in {turns} {{ dense(2) }}\n relu }}")
    assert [d.code for d in net.diagnostics if d.severity == "error"] == (["too-large"] if count is None else [])
    if count is not None:
        assert sum(row.kind == "dense" for row in net.layers) == count
