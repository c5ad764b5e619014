"""Blocks and nets with the names of what generated code carries along: nothing in a file is defined twice."""

import re
from collections import Counter

import pytest
from checking import check

from netspec.emit import keras, torch

NETS = {
    "stateful": "block stateful(n) { input x; x -> lstm(n, stateful=true, batch=2, return=sequence) -> dense(3) }"
    "\nnet n { input x [7, 5]; stateful(4) }",
    "stepwise_lstm": "block stepwise_lstm(n) { input x; x -> lstm(n, activation=relu, return=sequence) -> dense(3) }"
    "\nnet stepwise { input x [7, 5]; stepwise_lstm(4) }",
    "lstm": "block LSTM(n) { input x; x -> lstm(n, return=sequence) -> dense(3) }"
    "\nnet recurrent { input x [7, 5]; LSTM(4) }",
    "adaptive_pool": "block adaptive_pool(n) { input x; x -> adaptive_avgpool(3) -> conv(n, 1) }"
    "\nnet adaptive_pool2 { input x [7, 5, 2]; adaptive_pool(4) -> global_avgpool }",
    "scan": "cell kept(n) { input x; state m [n, 2]; next m = 0.5 * m + reshape(dense(x, 2*n), n, 2); output next m }"
    "\nnet scan { input x [7, 5]; scan(kept(4)) }",
    "within": "cell filled(n) { input x; state h [n]; next h = h + mean(embedding(x, 9, n), axis=0); output next h }"
    "\nblock both_ways(n) { input x; bidirectional(gru(n, activation=relu)) }"
    "\nnet n { input x [7, 5]; input y [7, 3] int(9); output x -> both_ways(4), y -> scan(filled(3)) }",
}
WRITTEN = {
    **{f"torch {style}": lambda net, style=style: torch.emit(net, style) for style in ("module", "export")},
    **{f"keras {style}": lambda net, style=style: keras.emit(net, style) for style in ("functional", "subclass")},
}
_DEFINED = re.compile(r"^(?:def|class) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("name", NETS)
def test_no_name_is_given_twice(name, form):
    net = check(NETS[name])
    assert net.ok, [d.message for d in net.diagnostics]
    counts = Counter(_DEFINED.findall(WRITTEN[form](net)))
    assert counts.total() > 1
    assert set(counts.values()) == {1}, counts
