"""The work on a text grows with the text, and no faster: counted in calls or in instructions, not in seconds."""

from __future__ import annotations

import sys

import pytest
from checking import check, keras_code, torch_code

from bench.fuzz.growth import Form, said
from netspec.analysis.rows import RowWalk
from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.cli import main
from netspec.codegen.outline import witnesses
from netspec.syntax.printer import format_source

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
@pytest.mark.parametrize("emit", [torch_code, keras_code], ids=["torch", "keras"])
def test_twice_the_layers_are_twice_the_work(word, emit):
    less, more = (work(net_of(word, count), emit) for count in (60, 120))
    assert more < 2.15 * less


# whole texts of parts that are said many times
TEXTS = {
    "inputs": Form("input i# [4]", "net n { ", middle="\nconcat(", then="i#,", behind=") }"),
    "outputs": Form("output o# = dense(x, 4)", "net n { input x [4]\n", behind="\n}"),
    "joined": Form("v# = dense(x, 4)", "net n { input x [4]\n", middle="\nadd(", then="v#,", behind=") }"),
    "blocks": Form("block b# { dense(4) }", middle="\nnet n { input x [4]\n", then="b#", behind="\n}"),
    "nets": Form("net n# { input x [4]; dense(4) }", middle="\nnet n { input x [4]\n", then="n#", behind="\n}"),
    "parameters": Form("p#=4,", "net n(", middle=") { input x [4]\n", then="dense(p#)", behind="\n}"),
    "numbers": Form("a# = (a@ + m) // 2", "net n(m=3) { input x [4]\na0 = m\n", behind="\ndense(m) }"),
}
STEPS = {
    "check": check,
    "fmt": lambda text: format_source(Source("a text", text), Collector()),
    "torch": torch_code,
    "functional": keras_code,
    "subclass": lambda net: keras_code(net, "subclass"),
}


def instructions(run, *arguments):
    """How many instructions of Python a function takes."""
    count = 0

    def trace(frame, event, _argument):
        nonlocal count
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run(*arguments)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("word", TEXTS)
def test_twice_the_text_is_twice_the_work(word, step):
    texts = [said(TEXTS[word].replace(between="\n"), range(1, count + 1)) for count in (50, 100)]
    found = [text if step in ("check", "fmt") else check(text) for text in texts]
    less, more = (instructions(STEPS[step], one) for one in found)
    assert more < 2.1 * less


def test_names_that_nothing_can_be_said_of_cost_little():
    """Their values hang on a size that a constructor is not told."""
    lines = "\n".join(f"a{k + 1} = (a{k} + m) // 2" for k in range(60))
    net = "net n(m=3) {{ input x [4]\na0 = {}\n" + lines + "\ndense(m) }}"
    known, unknown = (work(net.format(first), torch_code) for first in ("m", "x.shape[0]"))
    assert unknown < 1.5 * known


@pytest.mark.parametrize("head", ["net n", "net n(m=3)"])
def test_a_net_with_nothing_to_set_is_elaborated_no_further(head, monkeypatch):
    net = check(f"{head} {{ input x [4]; dense(4) -> relu }}")
    monkeypatch.delattr(witnesses, "elaborate")
    for emit in (torch_code, keras_code):
        compile(emit(net), "n", "exec")


def test_a_loop_is_written_once_for_any_number_of_turns():
    few, many = (check(f"net long {{ input x [8]; repeat {n} {{ dense(8) -> relu }} }}") for n in (50, 500))
    assert torch_code(few).replace("50", "500") == torch_code(many)


def test_many_values_are_joined():
    names = [f"a{k}" for k in range(400)]
    lines = "\n".join(f"  {name} = dense(x, 8)" for name in names)
    for join in ("add", "mul", "maximum", "average", "concat"):
        net = check(f"net wide {{\n  input x [8]\n{lines}\n  {join}([{', '.join(names)}])\n}}\n")
        for emit in (torch_code, keras_code):
            compile(emit(net), "wide", "exec")


# --- many instances ------------------------------------------------------------------------------------------------

UNIT = "block unit { input x [n]; add(x, dense(4) -> relu -> dense(n)) }\n"


def nested(turns):
    """A net of so many turns thrice within one another."""
    return f"{UNIT}block some {{ repeat {turns} {{ unit }} }}\nblock more {{ repeat {turns} {{ some }} }}\n" + (
        f"net many {{ input x [8]; repeat {turns} {{ more }} }}"
    )


def test_what_repeats_within_repeats_is_worked_out_once():
    few, twice, more = (instructions(check, nested(turns)) for turns in (10, 20, 40))
    assert more - twice < 2.2 * (twice - few)  # by turns: there are 64 times as many instances


def test_rows_are_made_when_somebody_asks(monkeypatch):
    monkeypatch.setattr(RowWalk, "walk", lambda walk: pytest.fail("nobody has asked"))
    net = check(nested(30))  # 27,000 units
    assert net.totals.params == 30**3 * (8 * 4 + 4 + 4 * 8 + 8)
    assert main(["check", "zoo:resnet50", "-q"]) == 0


def test_a_million_instances():
    net = check(nested(60))
    assert net.ok
    assert net.totals.params == 60**3 * 76


def test_the_limit_of_instances(tmp_path, capsys):
    path = tmp_path / "many.net"
    path.write_text(nested(10))
    assert main(["check", str(path), "--limit", "5000", "-q"]) == 1
    assert "net many has more than 5,000 instances" in capsys.readouterr().err
    assert main(["check", str(path), "--limit", "10000", "-q"]) == 0
