"""The sequential depth: how many recurrent steps must be done one after the other."""

from __future__ import annotations

import pytest

import netspec

CELLS = """
cell unit(n) {
  input x
  state h [n]
  next h = tanh(dense(x, n) + dense(h, n, bias=false))
  output next h
}
block alone { weight w [7, 4]; w -> lstm(4, return=sequence) -> gru(4) }
cell nested(n) {
  input x
  state h [n]
  next h = h + (x -> unit(n))
  output next h
}
cell line(n) {
  input x
  state h [n]
  next h = tanh(h + (x -> lstm(n)))
  output next h
}
"""


def depth(body, inputs="input x [T, 4]", block=""):
    result = netspec.parse(f"{CELLS}{block}net n {{\n{inputs}\n{body}\n}}\n")
    return str(result.report().totals.sequential_depth)


@pytest.mark.parametrize(
    ("body", "steps"),
    [
        ("dense(3)", "0"),
        ("attention(x, x)", "0"),
        ("lstm(3)", "T"),
        ("gru(3, return=sequence, reverse=true) -> dense(4)", "T"),
        ("rnn(3, return=sequence) -> rnn(2)", "2*T"),
        ("stack(3, lstm(2))", "3*T"),
        ("bidirectional(lstm(3))", "T"),
        ("stack(2, bidirectional(gru(2)))", "2*T"),
        ("scan(unit(3))", "T"),
        ("bidirectional(scan(unit(3)))", "T"),
        ("stack(2, bidirectional(scan(unit(3))))", "2*T"),
        ("conv(4, 3, stride=2, padding=same) -> lstm(3)", "ceil(T/2)"),
        ("maxpool(2) -> lstm(3, return=sequence) -> upsample(2) -> lstm(3)", "3*floor(T/2)"),
        ("concat(x -> lstm(3), x[::2, :] -> lstm(3))", "T"),
        ("concat(x -> last, x -> dense(3) -> lstm(3))", "T"),
        ("repeat 4 { lstm(4, return=sequence) -> dense(4) }", "4*T"),
        # what is made of weights alone waits for nothing
        ("weight w [7, 4]\n s = w -> lstm(4)\n (x -> last) + s", "0"),
        ("weight w [7, 4]\n h = w -> gru(3)\n x -> gru(3, initial=h)", "T"),
        ("weight w [7, 4]\n x + (w -> lstm(4)) -> lstm(2)", "T"),
        ("(x -> last) + alone", "0"),
        ("x + alone -> rnn(2)", "T"),
        # what no output takes is on no way
        ("y = x -> dense(3)\n z = x -> lstm(3) as unread\n output y", "0"),
    ],
)
def test_of_one_sequence(body, steps):
    assert depth(body) == steps


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("sequential_depth == max(S, 2*T)", True),
        ("max(2*T, S, T) == sequential_depth", True),
        ("sequential_depth == max(S + 1, 2*T)", False),
        ("params == max(3, params)", True),
        ("non_trainable == 0", True),
    ],
)
def test_in_an_expectation(condition, holds):
    body = f"concat(a -> lstm(2), b -> stack(2, gru(2)))\n expect {condition}"
    if holds:
        assert depth(body, "input a [S, 4]\n input b [T, 4]") == "max(2*T, S)"
        return
    with pytest.raises(netspec.SpecError, match="depends on a size that is not known"):
        depth(body, "input a [S, 4]\n input b [T, 4]")


@pytest.mark.parametrize(
    ("body", "steps"),
    [
        ("concat(a -> lstm(2), b -> lstm(2))", "max(S, T)"),
        ("concat(a -> stack(2, lstm(2)), b -> lstm(2))", "max(2*S, T)"),
        ("h, c = a -> lstm(2, return=state)\n b -> lstm(2, initial=(h, c))", "S + T"),
        ("h = a -> gru(2)\n b -> scan(unit(2), initial=h)", "S + T"),
        ("m = concat(a -> gru(2), b -> gru(2))\n a -> gru(4, initial=m)", "S + max(S, T)"),
        ("y = a -> lstm(2)\n z = b -> lstm(2, return=sequence) -> lstm(2)\n output y, z", "max(2*T, S)"),
    ],
)
def test_of_two_sequences(body, steps):
    assert depth(body, "input a [S, 4]\n input b [T, 4]") == steps


def test_blocks_hand_each_value_on_by_itself():
    inputs = "input a [S, 4]\n input b [T, 4]"
    block = "block swap() {\n input p\n input q\n two = q -> gru(4, return=sequence)\n output p, two\n}\n"
    assert depth("p, q = swap(a, b)\n p, q = swap(p, q)\n output p", inputs, block) == "0"
    assert depth("p, q = swap(a, b)\n p, q = swap(q, p)\n output p, q", inputs, block) == "max(S, T)"
    assert depth("p, q = swap(a, b)\n p, q = swap(p, q)\n output q", inputs, block) == "2*T"


def test_a_cell_that_reads_a_sequence_at_each_step():
    assert depth("scan(line(3))", "input page [T, W, 4]") == "T*W"
    assert depth("scan(line(3))", "input page [6, 5, 4]") == "30"


def test_the_sequences_of_all_steps_are_read_at_once():
    assert depth("each_step(lstm(5))", "input page [T, W, 4]") == "W"
    assert depth("each_step(lstm(5)) -> gru(3)", "input page [T, W, 4]") == "T + W"


def test_a_cell_within_a_cell_is_a_part_of_its_step():
    assert depth("scan(nested(3))") == "T"
