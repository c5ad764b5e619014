"""When a name is read: where it is written, with what it stands for there, whatever it stands for later."""

from __future__ import annotations

import pytest
from checking import check

BLOCKS = """
const wide = 7
block part(n) { dense(n) }
block twice(n, m=n) { dense(n) -> dense(m) }
block more(n) { n = n + 1; dense(n) }
cell unit(k) { input x; state h [k]; next h = dense(x, k) + h; output next h }
"""


def sizes(steps, inputs="input x [4]"):
    """The last sizes of what layers with weights give, in their order."""
    net = check(f"{BLOCKS}net test {{\n {inputs}\n {steps}\n}}\n")
    assert net.ok, [d.message for d in net.diagnostics]
    return [row.output.shape[-1] for row in net.layers if row.figures.params]


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        # a layer is made where it is named
        ("n = 3; layer d = dense(n); n = 5; d(x)", [3]),
        ("n = 3; layer d = dense(n); n = 5; x -> d -> dense(n)", [3, 5]),
        ("n = 3; layer d = part(n); n = 5; d(x)", [3]),
        ("n = 3; layer d = part(n); n = 5; layer e = part(n); x -> d -> e", [3, 5]),
        ("n = 3; layer d = stack(2, lstm(n)); n = 5; repeat_vector(7) -> d", [3]),
        ("n = 3; layer d = scan(unit(n)); n = 5; repeat_vector(7) -> d", [3]),
        ("wide = 2; layer d = dense(wide); wide = 3; d(x)", [2]),
        ("layer d = dense(wide); d(x)", [7]),
        # so is a value
        ("n = 3; y = x -> dense(n); n = 5; y -> dense(n)", [3, 5]),
        ("a = 2; b = a + 1; a = 7; dense(b) -> dense(a)", [3, 7]),
        ("y = x -> dense(2); x = x -> dense(3); concat(x, y) -> dense(9)", [2, 3, 9]),
        ("y = x; dense(2) as y; y -> dense(3)", [2, 3]),
        ("ns = [i for i in range(3)]; i = 7; dense(i) -> dense(ns[2])", [7, 2]),
        ("n = 3; d = (x -> dense(n)) if n > 2 else x; n = 1; d -> dense(n)", [3, 1]),
        ("a, b = 1, 2; a, b = b, a; dense(a) -> dense(b)", [2, 1]),
        # a loop is made of what its list was when it began; what a turn binds is there for the next
        ("ws = [2, 3]; for w in ws { ws = ws + [9]; dense(w) }; dense(len(ws))", [2, 3, 4]),
        ("k = 2; repeat k { k = k + 1; dense(k) }; dense(k)", [3, 4, 4]),
        ("k = 2; for i in 0..k { k = 5; dense(i + 1) }; dense(k)", [1, 2, 5]),
        # what a sub-flow or a block binds is its own
        ("k = 6; { dense(k); k = 1; dense(k) } -> dense(k)", [6, 1, 6]),
        ("n = 9; more(3) -> dense(n)", [4, 9]),
        ("n = 9; m = 8; twice(3)", [3, 3]),
        ("n = 9; twice(3, n)", [3, 9]),
        ("n = 9; twice(m=n, n=2)", [2, 9]),
    ],
)
def test_a_name_means_what_it_means_where_it_is_written(steps, found):
    assert sizes(steps) == found


def test_expectations_read_names_where_they_stand():
    text = "net test {{ input x [4]\n n = 3\n expect output == [n]\n n = 5\n expect output == [n]\n dense({}) }}"
    for size, fails in ((3, "expect output == [n]"), (5, "expect output == [n]")):
        net = check(text.format(size))
        assert [o.ok for o in net.outcomes] == [size == 3, size == 5]
        assert [d.code for d in net.diagnostics] == ["expectation-failed"], fails


def test_a_block_that_is_called_like_a_layer():
    """Within it the name means the layer, and elsewhere the block."""
    text = """
    block dense(n) { dense(n) -> relu -> dense(n + 1) }
    block around(n) { dense(n) -> tanh }
    net test { input x [4]; around(3) -> dense(2) }"""
    net = check(text)
    assert net.ok, [d.message for d in net.diagnostics]
    assert [row.output.shape[-1] for row in net.layers if row.figures.params] == [3, 4, 2, 3]
    ring = check("block tanh { b }\nblock b { tanh }\nnet test { input x [4]; tanh }")
    assert "recursion" in [d.code for d in ring.diagnostics]


# --- a net that ends at one of several values ------------------------------------------------------------------------

BASES = """
block two { input x; a = x -> dense(2); b = x -> dense(3); output a, b }
net read {
  input x [7, 4]
  s, l = x -> lstm(4, return=(sequence, last))
  s -> dense(2) as seq
  l -> dense(3) as head
}
net fork {
  input x [4]
  p, q = two
  p -> dense(5) as head
  q -> dense(7) as tail
  output head, tail
}
net deep {
  input x [7, 4]
  s, h, c = x -> lstm(4, return=(sequence, state))
  d = s -> lstm(4, return=sequence, initial=(h, c)) as second
  h -> dense(6) as side
  d -> dense(2) as end
  output end, side
}
"""
LSTM = 4 * 4 * (4 + 4 + 1)


@pytest.mark.parametrize(
    ("base", "inputs", "ends"),
    [
        (
            "read",
            "input x [7, 4]",
            {"s": ((7, 4), LSTM), "l": ((4,), LSTM), "lstm": ((7, 4), LSTM), "seq": ((7, 2), LSTM + 10)}
            | {"head": ((3,), LSTM + 15)},
        ),
        ("fork", "input x [4]", {"p": ((2,), 25), "q": ((3,), 25), "head": ((5,), 40), "tail": ((7,), 53)}),
        (
            "deep",
            "input x [7, 4]",
            {"h": ((4,), LSTM), "c": ((4,), LSTM), "side": ((6,), LSTM + 30), "d": ((7, 4), 2 * LSTM)}
            | {"second": ((7, 4), 2 * LSTM), "end": ((7, 2), 2 * LSTM + 10)},
        ),
    ],
)
def test_upto_one_of_several_values(base, inputs, ends):
    """A layer of several outputs is kept where any of them leads to the end; all else is left out."""
    for name, (shape, params) in ends.items():
        net = check(f'{BASES}net test {{ {inputs}\n {base}(upto="{name}") as cut }}')
        assert net.ok, [d.message for d in net.diagnostics]
        assert net.net.body.output.shape == shape, name
        assert net.totals.params == params, name


# --- masks -----------------------------------------------------------------------------------------------------------

WORDS = """net test {
  input words [T] int(9)
  input tags [T] int(5)
  a = words -> embedding(9, 4, mask=true)
  b = tags -> embedding(5, 4, mask=true)
  """


def skipped(steps):
    """How many inputs each recurrent layer has (a mask is one), and what is said of lost masks."""
    net = check(f"{WORDS}{steps}\n}}\n")
    assert net.ok, [d.message for d in net.diagnostics]
    taken = [len(row.node.inputs) for row in net.layers if row.steps is not None]
    return taken, [d.primary.span.text for d in net.diagnostics if d.code == "lost-mask"]


@pytest.mark.parametrize(
    ("steps", "taken", "lost"),
    [
        ("concat(a -> lstm(3), b -> lstm(3))", [2, 2], []),
        # one mask, however often it comes in
        ("concat(a, a -> tanh) -> lstm(3) as read; output read, b -> rnn(2)", [2, 2], []),
        # two that meet end there, whichever way they come
        (
            "concat(a, b) -> lstm(3)",
            [1],
            ["lstm(3)", "embedding(9, 4, mask=true)", "embedding(5, 4, mask=true)"],
        ),
        ("a + b -> gru(3)", [1], ["gru(3)", "embedding(9, 4, mask=true)", "embedding(5, 4, mask=true)"]),
        ("a * tanh(b) -> rnn(3) as read; output read, a -> rnn(2)", [1, 2], ["rnn(3)", "embedding(5, 4, mask=true)"]),
        # behind the place where they meet there is none, and before it each has its own
        ("both = a + b; output x = a -> rnn(2), y = b -> rnn(2), z = both -> rnn(2)", [2, 2, 1], ["rnn(2)"]),
    ],
)
def test_masks_that_meet(steps, taken, lost):
    found, said = skipped(steps)
    assert found == taken
    assert sorted(said) == sorted(lost)
