"""Blocks and nets with the names of what generated code carries along: nothing in a file is defined twice."""

import ast
import builtins
import re
from collections import Counter

import pytest
from checking import check, keras_code, torch_code

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
# definitions, parameters and values with the names of what code calls: Python's own, and what it carries along
CALLED = {
    "range": "block range(n=8) { dense(n) }\nnet r(depth=3) { input x [8]; repeat depth { range } }",
    "net range": "net range(depth=3) { input x [8]; repeat depth { dense(8) } }",
    "int": "block int(n=8) { dense(n) }\nnet r(width=9) { input x [8]; int -> dense(floor(width / 2)) }",
    "math": "block math(n=8) { dense(n) }\nnet r(width=9) { input x [8]; math() -> dense(ceil(width / 2)) }",
    "helpers": "block super(n=8) { dense(n) }\nblock getattr(n=8) { dense(n) }"
    "\nnet r { input x [8, 8]; super; getattr; local_response_norm(5) }",
    "guards": "block value_error(n) { dense(n) }"
    "\nnet r(b=3) { input x [8]; value_error(4) -> dense(floor(b / 2) + min(2, b)) }",
    "values": "cell leaky(n) { input x; state h [n]; next h = 0.5 * h + dense(x, n); output next h }"
    "\nnet r { input x [7, 6]; scan = x -> dense(4); scan -> scan(leaky(5)) }",
    "init_weights": "net r(init_weights=4) { input x [6]; dense(init_weights) }",
    "single_bias": "net r(single_bias=4) { input x [7, 6]; lstm(single_bias) }",
    "LSTM": "net r(LSTM=4) { input x [7, 6]; dense(LSTM) -> lstm(3) }",
    "pool": "net r(SameAveragePooling2D=5) { input x [8, 8, 4]; avgpool(3, stride=2, padding=same) -> flatten"
    " -> dense(SameAveragePooling2D) }",
}
WRITTEN = {
    **{f"torch {style}": lambda net, style=style: torch_code(net, style) for style in ("module", "export")},
    **{f"keras {style}": lambda net, style=style: keras_code(net, style) for style in ("functional", "subclass")},
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


def hidden(text):
    """The names that a file calls somewhere and gives to something else: in a function, or at its top to a function
    or class in place of Python's own."""
    tree = ast.parse(text)
    tops = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    own = {*dir(builtins), "math", "functools"}
    given = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        given.update(a.arg for a in (*function.args.args, *function.args.kwonlyargs))
    return (tops & own) | (called & given & (tops | own))


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("name", CALLED)
def test_nothing_hides_what_is_called(name, form):
    net = check(CALLED[name])
    assert net.ok, [d.message for d in net.diagnostics]
    assert hidden(WRITTEN[form](net)) == set()
