"""What constructs of the language mean, where a case would not show it well."""

from __future__ import annotations

import sys

import pytest
from checking import check, codes, row

from netspec.base.dims import show
from netspec.elaborate.net import SettingError
from netspec.ir.types import BlockCall, CheckedNet, Step


def paths(net: CheckedNet) -> list[str]:
    return [r.path for r in net.layers]


def body(statements: str, inputs: str = "input x [16]", **settings: object) -> CheckedNet:
    return check(f"net test {{\n  {inputs}\n  {statements}\n}}\n", **settings)


def clean(text: str, **settings: object) -> CheckedNet:
    net = check(text, **settings)
    assert net.ok
    return net


# --- names and paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "names"),
    [
        ("dense(8)", ["dense"]),
        ("dense(8); dense(8)", ["dense1", "dense2"]),
        ("dense(8) as a -> dense(8) as b", ["a", "b"]),
        ("dense(8) as a -> dense(8)", ["a", "dense"]),
        ("dense(8) as dense1 -> dense(8) -> dense(8)", ["dense1", "dense2", "dense3"]),
        ("dense(8) as dense", ["dense"]),
        ('dense(8, name="head")', ["head"]),
        ("repeat 3 { dense(8) }", ["dense1", "dense2", "dense3"]),
        ("repeat 2 { dense(8) as unit }", ["unit1", "unit2"]),
        ("repeat 2 { dense(8) -> relu } ", ["dense1", "relu1", "dense2", "relu2"]),
        ("repeat 2 as stage { dense(8) -> relu }", ["stage1.0", "stage1.1", "stage2.0", "stage2.1"]),
        ("repeat 2 as stage { dense(8) as fc }", ["stage1.fc", "stage2.fc"]),
        ("repeat 2 as a { repeat 2 as b { dense(8) } }", ["a1.b1.0", "a1.b2.0", "a2.b1.0", "a2.b2.0"]),
        ("repeat 2 as a { repeat 2 { dense(8) } }", ["a1.0", "a1.1", "a2.0", "a2.1"]),
        ("repeat 1 as s { dense(8) }; repeat 2 as s { dense(8) }", ["s1.0", "s2.0", "s3.0"]),
        ("{ dense(8); relu } as head", ["head.0", "head.1"]),
        ("{ dense(8); relu }", ["dense", "relu"]),
        ("{ dense(8) as a -> relu -> dense(8) } as head", ["head.a", "head.1", "head.2"]),
        ("if true { dense(8) } else { dense(4) }", ["dense1"]),
        ("y = x -> dense(8)", ["dense"]),
        ("relu -> dense(8, activation=relu)", ["relu", "dense"]),
        ("maximum(x, 0)", ["clip"]),
        ("add(x, 1); y = x.shape[0]", ["shift"]),
        ("x[:, none]", ["expand"]),
        ("a, b = x[0:x.shape[0]] -> split(2); c = chunk(a, [3, 5])", ["slice", "split", "chunk"]),
    ],
)
def test_names_of_layers(statements: str, names: list[str]) -> None:
    net = body(statements)
    assert net.ok
    assert paths(net) == names


def test_a_block_is_a_scope_of_its_own() -> None:
    text = """
block pair(units) { dense(units) -> dense(units) as last_one }
net test {
  input x [16]
  pair(8) as first_pair -> pair(8) -> pair(4)
  repeat 2 as layer { pair(4) }
}"""
    net = clean(text)
    assert [r.path for r in net.rows if isinstance(r.node, BlockCall)] == [
        "first_pair",
        "pair1",
        "pair2",
        "layer1.0",
        "layer2.0",
    ]
    assert paths(net)[:4] == ["first_pair.dense", "first_pair.last_one", "pair1.dense", "pair1.last_one"]
    assert paths(net)[-1] == "layer2.0.last_one"


def test_a_value_may_have_the_name_of_a_step() -> None:
    net = clean("""
block pool { maxpool(2x2) as maxpool }
net test {
  input conv [32, 32, 3]
  conv -> conv(8, 3x3) as conv -> pool as pool -> pool -> conv(4, 1)
  repeat 2 { pool as pool -> relu as relu }
}""")
    assert net.net.body.outputs[0].value.shape == (1, 1, 4)


def test_a_word_that_is_bound_on_the_way_is_a_word_no_more() -> None:
    net = body("repeat 3 { conv(4, 3x3, padding=same); same = 0 }", "input x [16, 16, 3]")
    assert net.ok
    assert [show(r.output.shape) for r in net.layers if r.output] == ["[16, 16, 4]", "[14, 14, 4]", "[12, 12, 4]"]


def test_names_bound_in_a_loop_are_those_of_the_last_turn() -> None:
    net = body("for i in 1..4 { dense(i) as unit }\n  expect unit.shape == [3]\n  expect i == 3")
    assert net.ok


def test_an_expectation_sees_the_names_of_its_place() -> None:
    net = body("y = x\n  expect y.shape == [16]\n  y = x -> dense(8)\n  expect y.shape == [8]")
    assert [o.ok for o in net.outcomes] == [True, True]


def test_comments_above_are_documentation() -> None:
    net = clean("# of another thing\n\n# First line\n#   second\nnet test {\n  # inside\n  input x [8]\n  relu\n}\n")
    assert net.net.body.doc == "First line\n  second"


# --- the flow ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "shape"),
    [
        ("", "[16]"),
        ("y = x -> dense(8)", "[16]"),
        ("y = x -> dense(8); y", "[8]"),
        ("dense(8) as a; dense(4) as b; a", "[8]"),
        ("dense(8); x", "[16]"),
        ("dense(8) -> { dense(4); relu }", "[4]"),
        ("concat(identity, dense(8))", "[24]"),
        ("concat(x, x -> dense(8), dense(4)) -> dense(2)", "[2]"),
        ("add(identity, { dense(16) -> relu })", "[16]"),
        ("x + (x -> relu) -> dense(3)", "[3]"),
        ("-x * 2 + 1", "[16]"),
        ("dense(x, 8)", "[8]"),
        ("dense(x, units=8)", "[8]"),
        ("dense(x -> relu, 8)", "[8]"),
        ("repeat 0 { dense(8) }", "[16]"),
        ("if false { dense(8) }", "[16]"),
        ("a, b = x, x -> dense(8); b", "[8]"),
        ("(a, b) = (x, x -> dense(8)); b", "[8]"),
        ("a, b = x, x -> dense(8); a, b = b, a; a", "[8]"),
        ("dense(8) if true else dense(4)", "[8]"),
        ("x -> dense(8) if false else dense(4)", "[4]"),
        ("dense(2 * x.channels)", "[32]"),
        ("dense((8))", "[8]"),
        ("reshape(4, 4) -> reshape(2x8) -> reshape((16, 1)) -> permute(1, 0)", "[1, 16]"),
    ],
)
def test_what_flows_out(statements: str, shape: str) -> None:
    net = body(statements)
    assert net.ok
    assert show(net.net.body.outputs[0].value.shape) == shape


def test_outputs_have_names() -> None:
    net = body("dense(8) as a -> dense(4) as b\n  output a, b, c = x -> relu, x -> tanh, x -> dense(1) as d")
    assert [r.name for r in net.net.body.outputs] == ["a", "b", "c", "output4", "d"]


def output(statements: str, inputs: str = "input x [16]") -> str:
    net = body(statements, inputs)
    assert codes(net) == [], net.diagnostics
    return show(net.net.body.outputs[-1].value.shape)


@pytest.mark.parametrize(
    ("statements", "shape"),
    [
        ("softmax(identity)", "[16]"),
        ("dense(identity, 3)", "[3]"),
        ("x -> dense(5) -> dense(identity, units=3)", "[3]"),
        ("kept = []; concat(x, kept)", "[16]"),
        ("kept = []; concat(kept, x, kept + [x])", "[32]"),
        ("stack([], x, [x, x])", "[3, 16]"),
        ("activation(none) -> activation(linear)", "[16]"),
        ("maximum(x, 0, x) -> minimum(1) -> pow(identity, 2)", "[16]"),
        ("output concat(split(x, 4)[1:])", "[12]"),
        ("heads = split(x, 1); output heads[0]", "[16]"),
        ("a, b = x -> split([1, -1]); output b", "[15]"),
        ("x[..., 0:x.channels * 0.25 / 2]", "[2]"),
        ("repeat 4 { dense(8) } as done; dense(3); output done", "[8]"),
        ("for n in [4, 2] as part { dense(n) } as done; output done", "[2]"),
        ("dense(ceil(log(1000)) + floor(exp(2)) + round(sin(1)) + round(cos(0)))", "[16]"),
        ("x[none, :, none]", "[1, 16, 1]"),
    ],
)
def test_what_an_author_means(statements: str, shape: str) -> None:
    assert output(statements) == shape


def test_flow_as_an_argument_of_a_block() -> None:
    text = "block both(n, kind=relu) {{ input a [m]; input b [k]; concat(a, b) -> dense(n) }}\n"
    text += "net test {{ input x [4]; input y [3]; {} }}"
    for call in ("x -> both(identity, y, 2)", "both(x, y, 2)", "x -> both(b=y, a=identity, n=2)", "both([x, y], 2)"):
        assert clean(text.format(call)).totals.params == 2 * 8


def test_words_of_statements_are_names_where_no_name_follows() -> None:
    text = "block layer(n) { dense(n) }\nblock weight(n) { dense(n) }\n"
    net = clean(
        text + "net test { input x [4]; layer(3); weight(2); weight w [2]; layer fc = dense(5); identity * w -> fc }"
    )
    assert paths(net) == ["layer.dense", "weight.dense", "w", "mul", "fc"]


@pytest.mark.parametrize(
    ("call", "value"),
    [("log(8) / log(2)", 3), ("exp(0)", 1), ("round(100 * sin(0.5))", 48), ("round(100*cos(3)) + 100", 1)],
)
def test_functions_of_numbers(call: str, value: int) -> None:
    assert output(f"dense(round({call}))") == f"[{value}]"


@pytest.mark.parametrize(
    ("call", "code"), [("log(0)", "wrong-value"), ("exp(10**6)", "too-large"), ("sin(relu)", "not-a-value")]
)
def test_functions_of_numbers_that_have_no_value(call: str, code: str) -> None:
    assert codes(body(f"dense({call})")) == [code]


def layers_in(statements: str) -> list[str]:
    return [str(row.node.layer) for row in body(statements).layers if isinstance(row.node, Step)]


def test_numbers_in_joins_are_what_the_operators_make_of_them() -> None:
    for join, operator in (
        ("add(x, 2)", "x + 2"),
        ("sub(2, x)", "2 - x"),
        ("mul(3, x)", "3*x"),
        ("div(1, x)", "1 / x"),
    ):
        assert layers_in(join) == layers_in(operator)
    assert layers_in("maximum(x, 0.5)") == ["clip(low=0.5)"]
    assert layers_in("tanh -> minimum(2)") == ["tanh", "clip(high=2)"]
    assert layers_in("minimum(3, 2, x)") == ["clip(high=2)"]
    assert layers_in("tanh -> add(identity, 2)") == ["tanh", "shift(2)"]
    assert codes(body("y = tanh; relu -> add(y, 2)")) == ["wrong-arity"]


def test_values_made_of_weights_alone_are_there_once() -> None:
    net = clean(
        "net test { input x [6]; weight a [6, 2]; weight b [2, 5]; w = a @ b -> relu; x @ w -> relu\n"
        "expect memory(batch=10) == 4 * (12 + 10 + 2*30 + 10 * 2*5); expect activations == 70 }"
    )
    assert net.totals.activations == 70
    assert net.totals.of_batch(10) == 60 + 10 * 10


def test_what_does_nothing_puts_out_nothing() -> None:
    text = "net test { input x [6]; activation(none) as a; add(identity) as b; identity as c }"
    assert clean(text).totals.activations == 0


# --- sharing and freezing -------------------------------------------------------------------------------------------


def test_a_shared_layer_has_one_name_and_counts_once() -> None:
    net = body("layer enc = dense(16)\n  repeat 3 { x -> enc -> enc }")
    assert set(paths(net)) == {"enc"}
    assert [r.figures.params for r in net.layers] == [272] + [0] * 5
    assert net.totals.params == 272
    assert net.totals.macs == 6 * 256


def test_each_call_of_a_block_has_shared_layers_of_its_own() -> None:
    net = clean("""
block twice { layer enc = dense(16); enc -> enc }
net test { input x [16]; twice -> twice }
""")
    assert net.totals.params == 2 * 272


def test_a_shared_block_counts_its_shared_layers_once() -> None:
    net = clean("""
block twice { layer enc = dense(16); enc -> enc }
net test { input x [16]; layer both = twice; both -> both }
""")
    assert net.totals.params == 272
    assert net.totals.macs == 4 * 256


def test_a_shared_layer_may_be_used_on_other_sizes_that_need_the_same_weights() -> None:
    net = check("net test { input a [32, 32, 3]; input b [16, 16, 3]; layer f = conv(8, 3x3); output a -> f, b -> f }")
    assert net.ok
    assert net.totals.params == 224


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("a, b = split(enc, 2); add(a, b)", "a, b = split(identity -> enc, 2); add(a, b)"),
        ("softmax(enc, axis=0)", "identity -> enc -> softmax(axis=0)"),
        ("sum(enc, axis=-1)", "identity -> enc -> sum(axis=-1)"),
        ("where(enc > 0, x, 0)", "where((identity -> enc) > 0, x, 0)"),
        ("sqrt(enc)", "identity -> enc -> sqrt"),
    ],
)
def test_a_shared_layer_that_stands_for_a_value_is_what_it_makes_of_the_flow(short: str, whole: str) -> None:
    one, other = (body(f"layer enc = dense(16)\n  {text}") for text in (short, whole))
    assert one.totals == other.totals
    assert one.totals.params == 272
    assert [row.kind for row in one.layers] == [row.kind for row in other.layers]


def test_frozen_reaches_into_blocks() -> None:
    net = clean("""
block inner { dense(8) -> batchnorm }
block outer { inner -> dense(4) }
net test { input x [16]; outer(frozen=true) -> dense(2) -> dense(1, frozen=false) }
""")
    assert net.totals.params - net.totals.trainable == row(net, "outer").figures.params == 136 + 16 + 36
    assert row(net, "outer").figures.trainable == 0


# --- blocks are elaborated once for the same arguments and shapes ---------------------------------------------------


def bodies(net: CheckedNet) -> list[int]:
    return [id(r.node.body) for r in net.rows if isinstance(r.node, BlockCall)]


def test_equal_calls_have_one_body() -> None:
    text = "block f(n) {{ dense(n) }}\nnet test {{ input x [8]; {} }}"
    assert len(set(bodies(clean(text.format("repeat 5 { f(8) }"))))) == 1
    assert len(set(bodies(clean(text.format("f(8) -> f(4) -> f(4)"))))) == 3
    # 1 and true are equal to Python, not to the language
    text = "block g(v) {{ if v == true {{ dense(4) }} else {{ dense(8) }} }}\nnet test {{ input x [8]; {} }}"
    net = clean(text.format("output x -> g(true), x -> g(1)"))
    assert [show(r.value.shape) for r in net.net.body.outputs] == ["[4]", "[8]"]


# --- settings --------------------------------------------------------------------------------------------------------


def test_settings_reach_parameters_and_symbols() -> None:
    text = "net test(units=8, act=relu, deep=true) { input x [T, 4]; dense(units, activation=act); if deep { relu } }"
    net = clean(text, units=3, T=7)
    assert net.net.body.outputs[0].value.shape == (7, 3)
    assert net.net.symbols == ()
    assert show(clean(text).net.body.outputs[0].value.shape) == "[T, 8]"


@pytest.mark.parametrize(
    "settings",
    [
        {"unit": 3},
        {"units": True},
        {"deep": 1},
        {"T": 0},
        {"T": 2.5},
        {"act": 3},
        {"x": 3},
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, object]) -> None:
    text = "net test(units=8, act=relu, deep=true) { input x [T, 4]; dense(units, activation=act); if deep { relu } }"
    with pytest.raises(SettingError):
        check(text, **settings)


def test_defaults_may_use_what_is_before_them() -> None:
    net = clean("const half = 4\nnet test(a=half, b=2*a) { input x [8]; dense(b) }", a=5)
    assert net.net.body.outputs[0].value.shape == (10,)


# --- limits ----------------------------------------------------------------------------------------------------------


# about a second of work; calls can be counted, and seconds depend on what else the machine does
MOST_CALLS = 2_000_000


def counted(text: str) -> tuple[CheckedNet, int]:
    """The net, and how many functions were called to have it."""
    calls = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(note)
    try:
        net = check(text)
    finally:
        sys.setprofile(None)
    return net, calls


def too_large(text: str) -> list[str]:
    """Refused before much is done; the lines that lead there."""
    net, calls = counted(text)
    assert calls < MOST_CALLS
    assert codes(net) == ["too-large"]
    found = net.diagnostics[0]
    return [found.primary.span.text, *(label.span.text for label in found.others)]


def test_one_repeat_of_too_many_turns() -> None:
    too_large("net test { input x [8]; repeat 1_000_000_000 { dense(8) } }")


def test_too_many_turns_of_nothing() -> None:
    too_large("net test { input x [8]; repeat 300 { repeat 300 { repeat 300 { } } }; dense(8) }")


def test_nested_repeats() -> None:
    too_large("net test { input x [8]; repeat 1000 { repeat 1000 { dense(8) } } }")


def test_repeats_nested_through_blocks() -> None:
    chain = too_large("""
block a { repeat 100 { dense(8) } }
block b { repeat 100 { a } }
block c { repeat 100 { b } }
block d { repeat 100 { c } }
net test { input x [8]; d }
""")
    assert chain[1:], "the calls that lead there are shown"


def test_blocks_that_double() -> None:
    blocks = "\n".join(f"block b{i} {{ b{i - 1} -> b{i - 1} }}" for i in range(1, 41))
    too_large(f"block b0 {{ dense(8) }}\n{blocks}\nnet test {{ input x [8]; b40 }}")


def test_blocks_that_double_with_other_arguments_each_time() -> None:
    blocks = "\n".join(f"block b{i}(n) {{ b{i - 1}(2*n) -> b{i - 1}(2*n + 1) }}" for i in range(1, 30))
    too_large(f"block b0(n) {{ dense(n) }}\n{blocks}\nnet test {{ input x [8]; b29(1) }}")


def test_blocks_nested_deeply() -> None:
    blocks = "\n".join(f"block b{i} {{ b{i - 1} }}" for i in range(1, 500))
    too_large(f"block b0 {{ dense(8) }}\n{blocks}\nnet test {{ input x [8]; b499 }}")


def test_lists_that_double() -> None:
    too_large("net test { input x [8]; xs = [1]; repeat 60 { xs = xs + xs }; dense(len(xs)) }")


def test_numbers_that_square() -> None:
    too_large("net test { input x [8]; n = 9; repeat 60 { n = n * n }; dense(8) }")


def test_many_instances_within_the_limit() -> None:
    net = body("repeat 10000 { dense(16) }")
    assert net.ok
    assert net.totals.params == 10_000 * 272


# --- deep and long texts -------------------------------------------------------------------------------------------


def survives(statement: str) -> CheckedNet:
    """Whatever comes of it, it comes as a value or a diagnostic."""
    net = body(statement)
    assert set(codes(net)) <= {"too-large", "syntax"}
    return net


def test_long_texts() -> None:
    assert survives(" -> ".join(["relu"] * 5000)).diagnostics == ()
    assert survives("\n".join(["relu"] * 5000)).diagnostics == ()
    assert survives("dense(" + "+".join(["1"] * 5000) + ")").diagnostics == ()
    assert survives("x" + "+ x" * 2000).diagnostics == ()
    assert survives("n = [" + ", ".join(["1"] * 20_000) + "]; dense(len(n))").diagnostics == ()
    assert survives("add(" + ", ".join(["x"] * 5000) + ")").diagnostics == ()
    assert survives("if false { relu } else if false { relu } else { relu }").diagnostics == ()


@pytest.mark.parametrize(
    "deep",
    [
        lambda n: "dense(" + "(" * n + "8" + ")" * n + ")",
        lambda n: "dense(" + "-" * n + "8)",
        lambda n: "dense(" + "not " * n + "true)",
        lambda n: "n = " + "[" * n + "]" * n,
        lambda n: "{ " * n + "relu" + " }" * n,
        lambda n: "add(" * n + "relu" + ")" * n,
        lambda n: "repeat 1 { " * n + "relu" + " }" * n,
        lambda n: "if true { " * n + "relu" + " }" * n,
        lambda n: "if false { relu } else " * n + "{ relu }",
        lambda n: "n = " + "1 if false else " * n + "2; relu",
        lambda n: "n = 2" + " ** 1" * n + "; relu",
        lambda n: "n = x" + ".shape[0]" * n + "; relu",
    ],
)
@pytest.mark.parametrize("depth", [20, 3000])
def test_deep_texts(deep, depth: int) -> None:  # type: ignore[no-untyped-def]
    net = body(deep(depth))
    assert set(codes(net)) <= {"too-large", "syntax", "wrong-value", "not-a-value"}


def test_bindings_that_refer_back_a_long_way() -> None:
    lines = "\n".join(f"n{i} = n{i - 1} + 1" for i in range(1, 3000))
    assert body(f"n0 = 1\n{lines}\ndense(n2999)").totals.params == 17 * 3000


def test_constants_that_refer_on_a_long_way() -> None:
    lines = "\n".join(f"const n{i} = n{i + 1}" for i in range(3000))
    net = check(f"{lines}\nconst n3000 = 8\nnet test {{ input x [8]; dense(n0) }}")
    assert set(codes(net)) <= {"too-large"}


def test_a_choice_between_expectations_leaves_no_trace_in_the_net() -> None:
    net = clean("net test(n=8) { input x [8]; dense(n); if n == 8 { expect params == 72 } else { expect params > 0 } }")
    assert [type(item).__name__ for item in net.net.body.items] == ["Step"]
    assert len(net.outcomes) == 1
