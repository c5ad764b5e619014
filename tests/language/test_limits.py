"""The limits of the language: what the page of it says is the most is taken, and one more is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from checking import check, codes

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## Limits")[2].partition("```")[0]


def nested(depth):
    """Blocks that call one another so deep."""
    inner = "block b0 { relu }\n" + "".join(f"block b{n} {{ b{n - 1} }}\n" for n in range(1, depth))
    return f"{inner}net a {{ input x [4]; b{depth - 1} }}"


def net(body, size="[4]"):
    return f"net a {{ input x {size}; {body} }}"


# what is limited as the page says it, the limit, and a text that asks for so much
LIMITS = {
    "an axis;": (2**63 - 1, lambda n: net("relu", f"[{n}]")),
    "axes of a value": (32, lambda n: net("relu", str([1] * n))),
    "a whole number;": (512, lambda n: net(f"k = 2**{n - 1}; dense(3 if k > 1 else 2)")),
    "150 digits": (150, lambda n: net(f"k = {'1' * n}; dense(3 if k > 1 else 2)")),
    "items of a list": (100_000, lambda n: net(f"k = 0..{n}; dense(3 + k[0])")),
    "lists within one another": (32, lambda n: net(f"k = {'[' * n}{']' * n}; dense(3 + len(k))")),
    "blocks within one another": (60, nested),
    "layers of a `stack`": (1_000, lambda n: net(f"stack({n}, lstm(2))", "[3, 4]")),
    "characters of a name": (5_000, lambda n: net(f"dense(3) as {'a' * n}")),
    "a number or a string": (5_000, lambda n: net('dense(3, name="{}")'.format("a" * (n - 2)))),  # with its quotes
}


@pytest.mark.parametrize("what", LIMITS)
def test_so_much_and_no_more(what):
    most, text = LIMITS[what]
    assert what in TABLE
    assert ("2\\*\\*63 - 1" if most == 2**63 - 1 else f"{most:,}") in TABLE
    assert codes(check(text(most))) == []
    assert codes(check(text(most + 1))) in (["too-large"], ["wrong-value"])
