"""The work of writing code grows with the net, and no faster: counted in calls of functions, not in seconds."""

from __future__ import annotations

import sys

import pytest
from checking import check

from netspec.emit import keras as emit_keras
from netspec.emit import torch as emit_torch

BLOCK = "block unit(k) { input x [n]; add(x, dense(k) -> relu -> dense(n)) }\n"
# the lines of a net of many layers
LINES = {
    "chain": lambda k: "dense(8)",
    "named": lambda k: f"dense(8) as layer{k}",
    "mixed": lambda k: ("dense(8)", "relu", "layernorm", "dropout(0.5)", "tanh(2 * identity)")[k % 5],
    "residual": lambda k: "add(identity, dense(8))",
    "calls": lambda k: "unit(4)",
    "calls of many sizes": lambda k: f"unit({k + 1})",
    "arithmetic": lambda k: "identity * 2 + 1",
}


def work(text, emit):
    """How many functions are called to write the code."""
    net = check(text)
    assert net.ok
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        emit(net)
    finally:
        sys.setprofile(None)
    return calls


def net_of(word, count):
    lines = "\n  ".join(LINES[word](k) for k in range(count))
    return f"{BLOCK}net long {{\n  input x [8]\n  {lines}\n}}\n"


@pytest.mark.parametrize("word", LINES)
@pytest.mark.parametrize("emit", [emit_torch.emit, emit_keras.emit], ids=["torch", "keras"])
def test_twice_the_layers_are_twice_the_work(word, emit):
    less, more = (work(net_of(word, count), emit) for count in (60, 120))
    assert more < 2.15 * less


def test_a_loop_is_written_once_for_any_number_of_turns():
    few, many = (check(f"net long {{ input x [8]; repeat {n} {{ dense(8) -> relu }} }}") for n in (50, 500))
    assert emit_torch.emit(few).replace("50", "500") == emit_torch.emit(many)


def test_many_values_are_joined():
    names = [f"a{k}" for k in range(400)]
    lines = "\n".join(f"  {name} = dense(x, 8)" for name in names)
    for join in ("add", "mul", "maximum", "average", "concat"):
        net = check(f"net wide {{\n  input x [8]\n{lines}\n  {join}([{', '.join(names)}])\n}}\n")
        for emit in (emit_torch.emit, emit_keras.emit):
            compile(emit(net), "wide", "exec")
