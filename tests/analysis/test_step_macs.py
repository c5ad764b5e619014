"""What a step of a recurrence costs: figures worked out by hand, beside the cost for a length."""

from __future__ import annotations

import json

import pytest

import netspec
from netspec.cli import main

CELL = """cell unit(n) {
  input x
  state h [n]
  next h = tanh(dense(x, n) + dense(h, n, bias=false))
  output next h
}
"""


def report(*steps, inputs="input x [T, 5]", cells=CELL):
    return netspec.parse(f"{cells}net n {{\n  {inputs}\n  " + "\n  ".join(steps) + "\n}\n").report()


def rows(found):
    """Steps and cost of a step of whatever has them, by path."""
    return {row.path: (str(row.steps), row.macs_per_step) for row in found.rows if row.steps is not None}


def recurrence(found):
    return [(str(r.steps), str(r.macs_per_step)) for r in found.recurrence]


@pytest.mark.parametrize(
    ("step", "macs"),
    [
        # gates x units x (what comes in + units), for each direction, for each layer
        ("rnn(3)", 3 * (5 + 3)),
        ("gru(3, return=sequence)", 3 * 3 * (5 + 3)),
        ("p, q = x -> lstm(3, return=(sequence, last), reverse=true); output p, q", 4 * 3 * (5 + 3)),
        ("bidirectional(lstm(3))", 2 * 4 * 3 * (5 + 3)),
        ("p, q = x -> bidirectional(gru(3), merge=none); output p, q", 2 * 3 * 3 * (5 + 3)),
        ("stack(3, gru(2))", 3 * 2 * (5 + 2) + 2 * 3 * 2 * (2 + 2)),
        ("stack(2, bidirectional(rnn(2)))", 2 * 2 * (5 + 2) + 2 * 2 * (4 + 2)),
        ("stack(2, bidirectional(rnn(2), merge=add))", 2 * 2 * (5 + 2) + 2 * 2 * (2 + 2)),
    ],
)
@pytest.mark.parametrize("length", ["T", 240])
def test_a_recurrent_layer(step, macs, length):
    found = report(step, inputs=f"input x [{length}, 5]")
    (layer,) = found.layers
    assert (str(layer.steps), layer.macs_per_step) == (str(length), macs)
    assert layer.macs == macs * layer.steps
    assert recurrence(found) == [(str(length), str(macs))]


def test_a_recurrence_on_images():
    (layer,) = report("conv_lstm(6, 3x3)", inputs="input x [7, 10, 8, 2]").layers
    # on 8 x 6 cells, four gates of six filters: 3 x 3 windows on the two channels, and on the state
    assert (layer.steps, layer.macs_per_step) == (7, 8 * 6 * 4 * 6 * 9 * (2 + 6))


def test_a_cell_of_ones_own():
    found = report("scan(unit(3), return=sequence) as first", "bidirectional(scan(unit(2)))", "dense(4)")
    assert rows(found) == {
        "first": ("T", 5 * 3 + 3 * 3),
        "first.dense1": ("T", 5 * 3),
        "first.dense2": ("T", 3 * 3),
        "first.add": ("T", 0),
        "first.tanh": ("T", 0),
        "bidirectional.forward": ("T", 3 * 2 + 2 * 2),
        "bidirectional.forward.dense1": ("T", 3 * 2),
        "bidirectional.forward.dense2": ("T", 2 * 2),
        "bidirectional.forward.add": ("T", 0),
        "bidirectional.forward.tanh": ("T", 0),
        "bidirectional.backward": ("T", 3 * 2 + 2 * 2),
        "bidirectional.backward.dense1": ("T", 3 * 2),
        "bidirectional.backward.dense2": ("T", 2 * 2),
        "bidirectional.backward.add": ("T", 0),
        "bidirectional.backward.tanh": ("T", 0),
    }
    assert recurrence(found) == [("T", str(24 + 10 + 10))]
    assert str(found.totals.macs) == "44*T + 16"


def test_the_first_state_is_no_step():
    cell = """cell learned(n) {
  input x
  weight v [7]
  weight w [7, n]
  state h [n] = v @ w
  next h = tanh(dense(x, n) + h)
  output next h
}
"""
    found = report("scan(learned(3))", cells=cell)
    assert recurrence(found) == [("T", str(5 * 3))]
    assert str(found.totals.macs) == "15*T + 21"
    (first,) = (row for row in found.layers if row.type == "matmul")
    assert (first.macs, first.steps, first.macs_per_step) == (21, None, None)


def test_a_recurrence_in_each_step():
    found = report("each_step(gru(2)) -> dense(3)", inputs="input x [T, S, 5]")
    assert rows(found) == {"gru": ("S*T", 3 * 2 * (5 + 2))}
    assert str(found.totals.macs) == "42*S*T + 6*T"


def test_what_is_on_each_step_has_no_state():
    found = report("each_step(dense(3))", inputs="input x [T, S, 5]")
    assert rows(found) == {}
    assert found.recurrence == ()


def test_a_recurrence_within_a_cell():
    cell = """block read(n) { gru(n) }
cell reader(n) {
  input x
  state h [n]
  next h = tanh((x -> read(n)) + dense(h, n, bias=false))
  output next h
}
"""
    found = report("scan(reader(2))", inputs="input x [T, S, 5]", cells=cell)
    seen = {path: (steps, str(macs)) for path, (steps, macs) in rows(found).items()}
    assert seen == {
        "reader": ("T", "42*S + 4"),
        "reader.read": ("T", "42*S"),
        "reader.read.gru": ("S*T", "42"),
        "reader.dense": ("T", "4"),
        "reader.add": ("T", "0"),
        "reader.tanh": ("T", "0"),
    }
    assert recurrence(found) == [("T", "42*S + 4")]
    assert str(found.totals.macs) == "42*S*T + 4*T"


def test_a_block_around_a_recurrence_is_none():
    found = report("encode(3)", cells="block encode(n) { dense(7) -> gru(n) }\n")
    assert rows(found) == {"encode.gru": ("T", 3 * 3 * (7 + 3))}


def test_each_length_by_itself():
    found = report(
        "p = a -> gru(2)", "q = b -> conv(4, 3) -> gru(2, return=sequence) -> rnn(3)", "concat(p, q)", inputs="""\
input a [S, 4]
  input b [T, 4]"""
    )  # fmt: skip
    assert recurrence(found) == [("S", str(3 * 2 * 6)), ("T - 2", str(3 * 2 * 6 + 3 * 5))]


TWO = "net two { input x [240, 14]; gru(32, return=sequence) as first; rnn(8); dense(1) }\n"


def test_the_forms_of_the_report(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.net").write_text(TWO)
    assert main(["check", "two.net", "--columns", "name,macs,steps,macs_per_step"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert [line.split() for line in lines[4:7]] == [
        ["first", "1,059,840", "240", "4,416"],
        ["rnn", "76,800", "240", "320"],
        ["dense", "8"],
    ]
    assert "each step 4,736 of 240 in recurrent layers" in lines
    assert main(["check", "two.net", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["recurrence"] == [{"steps": 240, "macs_per_step": 4416 + 320}]
    assert [(r["steps"], r["macs_per_step"]) for r in told["layers"][:2]] == [(240, 4416), (240, 320)]
    assert not {"steps", "macs_per_step"} & told["layers"][2].keys()
    assert main(["check", "two.net", "--format", "csv", "--columns", "path,steps,macs_per_step"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["first,240,4416", "rnn,240,320", "dense,,"]


def test_a_net_without_a_state_has_nothing_of_it():
    found = report("dense(3)")
    assert found.recurrence == ()
    assert "each step" not in str(found)
