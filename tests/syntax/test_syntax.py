"""The parser: the same language as lark's own, whatever the text; spans that fit; faults as values."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from checking import check_all
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.consteval import FUNCTIONS
from netspec.layers import LAYERS
from netspec.syntax import generate, tables, tree
from netspec.syntax.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
TEXTS = {
    str(path.relative_to(ROOT.parent)): path.read_text(encoding="utf-8")
    for path in sorted([*(ROOT.parent / "specs").glob("*.net"), *(ROOT / "cases").rglob("*.net")])
}
SPECS = {name: text for name, text in TEXTS.items() if name.startswith("specs")}
# seconds for a text of a page; far above what it takes, far below what a mistake in a loop would
PATIENCE = 30.0


# --- the tables ----------------------------------------------------------------------------------------------------


def test_the_tables_are_those_of_the_grammar() -> None:
    grammar = Path(generate.grammar_path()).read_text(encoding="utf-8")
    written = Path(tables.__file__).read_text(encoding="utf-8")
    assert generate.Tables(grammar).write() == written, "run `python -m netspec.syntax.generate`"


def test_the_tables_do_not_depend_on_the_run() -> None:
    code = (
        f"from netspec.syntax import generate as g; print(g.Tables(open({generate.grammar_path()!r}).read()).write())"
    )
    command = [sys.executable, "-c", code]
    texts = {subprocess.check_output(command, env={**os.environ, "PYTHONHASHSEED": seed}) for seed in ("1", "2")}
    assert len(texts) == 1


# --- lark as the judge -----------------------------------------------------------------------------------------------


class _Brackets:
    """Drops line ends directly inside ( ) and [ ], as the language says; `;` counts everywhere."""

    always_accept = ("_NEWLINE",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        inside: list[str] = []
        for token in stream:
            if token.type in ("LPAR", "LSQB", "LBRACE"):
                inside.append(token.type)
            elif token.type in ("RPAR", "RSQB", "RBRACE") and inside:
                inside.pop()
            elif token.type == "_NEWLINE" and inside and inside[-1] != "LBRACE" and not _semicolon(token):
                continue
            yield token


def _semicolon(token: Token) -> bool:
    """Is there a `;` in a line break, outside of its comments?"""
    return ";" in re.sub(r"#[^\n]*", "", token)


@lru_cache
def _judge() -> Lark:
    grammar = Path(generate.grammar_path()).read_text(encoding="utf-8")
    # words come before names, and what takes the line ends before it comes before these; lark would begin with the
    # pattern that may be longest
    for first, pattern in ((1, r"([A-Z]+)(?=: /[a-z]+\\b/)"), (1, "(_NEWLINE)"), (2, "(ARROW|ELSE)")):
        grammar = re.sub(rf"^{pattern}: ", rf"\1.{first}: ", grammar, flags=re.MULTILINE)
    return Lark(grammar, parser="lalr", lexer="contextual", postlex=_Brackets(), propagate_positions=True)


def _judged(text: str) -> Tree[Token] | None:
    try:
        return _judge().parse(text)
    except UnexpectedInput:
        return None


def _parsed(text: str) -> tuple[tree.Spec, Collector]:
    faults = Collector()
    return parse(Source("test.net", text), faults), faults


def _agree(text: str) -> None:
    """Both accept the text, or neither; and both find the same definitions."""
    judged = _judged(text)
    spec, faults = _parsed(text)
    assert (judged is not None) is not faults.failed, [d.message for d in faults.all]
    if judged is not None:
        assert len(spec.definitions) == len(judged.children)


@pytest.mark.parametrize("name", TEXTS)
def test_the_parser_agrees_with_lark(name: str) -> None:
    _agree(TEXTS[name])


# --- random sentences of the grammar ---------------------------------------------------------------------------------

_WORDS = ["x", "relu", "conv", "dense", "input", "output", "layer", "expect", "repeat", "n_1", "net", "block", "x3"]
_SAMPLES = {
    "NAME": _WORDS,
    "INTEGER": ["0", "8", "1_000"],
    "DECIMAL": ["0.5", "1e-3", "2.5e8"],
    "SIZE": ["3x3", "1x7", "2x2x2"],
    "STRING": ['"a b"', '"\\""', '""'],
    "ARROW": ["->", "\n    ->", " # why\n  ->"],
    "ELSE": ["else", "\n else"],
    "_NEWLINE": ["\n", ";", "\n\n  # a comment\n", "; \n", "\n;\n# a; b\n ;", " # x;\n"],
}


@lru_cache
def _grammar() -> tuple[dict[str, list[list[str]]], dict[str, int]]:
    """The rules by name, and for each the least depth in which it can end."""
    rules: dict[str, list[list[str]]] = {}
    for rule in _judge().rules:
        rules.setdefault(rule.origin.name, []).append([s.name for s in rule.expansion])
    depths = dict.fromkeys((s for options in rules.values() for o in options for s in o if s not in rules), 0)
    while len(depths) < len(rules) + len([s for s in depths if s not in rules]):
        for name, options in rules.items():
            known = [1 + max((depths[s] for s in o), default=0) for o in options if all(s in depths for s in o)]
            if known:
                depths.setdefault(name, min(known))
    return rules, depths


def _text_of(terminal: str, draw: Any) -> str:
    if terminal in _SAMPLES:
        return str(draw(st.sampled_from(_SAMPLES[terminal])))
    pattern = next(t.pattern.value for t in _judge().terminals if t.name == terminal)
    return str(pattern.removesuffix(r"\b"))


@st.composite
def sentences(draw: Any, start: str = "start", depth: int = 45) -> str:
    """A text that the rules of the grammar make, taken at random; shallow where it would grow too deep."""
    rules, depths = _grammar()
    parts: list[str] = []
    stack = [(start, depth)]
    while stack:
        symbol, left = stack.pop()
        if symbol not in rules:
            parts.append(_text_of(symbol, draw))
            continue
        cost = {i: max((depths[s] for s in o), default=0) for i, o in enumerate(rules[symbol])}
        allowed = [i for i, c in cost.items() if c < left] if len(parts) < 60 else []
        chosen = draw(st.sampled_from(allowed or [min(cost, key=lambda i: cost[i])]))
        stack.extend((s, left - 1) for s in reversed(rules[symbol][chosen]))
    return " ".join(parts)


soup = st.lists(
    st.sampled_from(sorted({text for texts in _SAMPLES.values() for text in texts} | set("()[]{}=,.:+-*/%@<>;\n#\"'!")))
    | st.sampled_from(["net n {", "}\n", "if", "for", "in", "as", "and", "or", "not", "true", "none", "..", "..."]),
    max_size=40,
).map(" ".join)


@settings(max_examples=150)
@given(sentences())
def test_sentences_of_the_grammar_are_judged_alike(text: str) -> None:
    _agree(text)


@settings(max_examples=150)
@given(sentences("_statement", 40))
def test_statements_of_the_grammar_are_judged_alike(text: str) -> None:
    _agree(f"net test {{\n{text}\n}}")


@settings(max_examples=150)
@given(soup)
@example("net a { x [ \n if ")
@example("net a{}net b{}")
def test_soup_is_judged_alike(text: str) -> None:
    _agree(text)
    _agree(f"net test {{ {text} }}")


# --- whatever the text: diagnostics, and nothing else -----------------------------------------------------------------


def _survives(text: str) -> None:
    """The whole pipeline runs to its end in good time; every diagnostic lies within the text."""
    start = time.perf_counter()
    verdicts, diagnostics = check_all(Source("random.net", text))
    assert time.perf_counter() - start < PATIENCE
    assert diagnostics or all(v.ok for v in verdicts)
    for found in diagnostics:
        assert found.message
        for label in (found.primary, *found.others):
            assert 0 <= label.span.start <= label.span.end <= len(label.span.source.text)
            assert label.span.line >= 1


_TOKEN = re.compile(r"\w+|\s+|->|[^\w\s]")


@st.composite
def mutated(draw: Any) -> str:
    """A real spec with a few characters or tokens dropped, doubled, swapped or replaced."""
    text = TEXTS[draw(st.sampled_from(sorted(TEXTS)))]
    parts = list(text) if draw(st.booleans()) else _TOKEN.findall(text)
    for _ in range(draw(st.integers(1, 4))):
        if len(parts) < 2:
            break
        at, other = (draw(st.integers(0, len(parts) - 1)) for _ in range(2))
        way = draw(st.sampled_from(["drop", "double", "swap", "replace", "cut"]))
        if way == "drop":
            del parts[at]
        elif way == "double":
            parts.insert(at, parts[at])
        elif way == "swap":
            parts[at], parts[other] = parts[other], parts[at]
        elif way == "replace":
            parts[at] = draw(
                st.sampled_from(["(", "}", "->", "=", "x", "0", "-1", "1e9", "none", "\n", "é", "\0", "["])
            )
        else:
            del parts[at : at + draw(st.integers(1, 40))]
    return "".join(parts)


@settings(max_examples=120)
@given(mutated())
def test_mutated_specs_bring_diagnostics_only(text: str) -> None:
    _survives(text)


@settings(max_examples=100)
@given(sentences() | soup | st.text(max_size=60))
@example("")
@example("\ufeff")
@example("net a {" * 50)
def test_random_text_brings_diagnostics_only(text: str) -> None:
    _survives(text)


_VALUES = [
    *("x", "y", "n", "N", "e", "xs", "table", "i", "left", "none", "true", "same", "relu", '"text"', "identity"),
    *("0", "1", "2", "8", "-1", "2.5", "3x3", "1x2x3", "[1, 2]", "[x, y]", "(3, x)", "[]"),
    *("x.shape", "x.channels", "xs[0]", "table[i]", "x[::2]", "x[..., 0:2]"),
]
_CALLEES = sorted({*LAYERS, *FUNCTIONS, "b", "pair", "e"})
_ARGUMENTS = sorted({name for layer in LAYERS.values() for name in layer.arguments} | {"frozen", "name", "init", "n"})


_operators = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "@", "==", "!=", "<", "in", "and", "or", ".."])


def _fill(form: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda given: form.format(*given))


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    callees = st.sampled_from(_CALLEES)
    return st.one_of(
        _fill("{}({})", callees, inner),
        _fill("{}({}, {})", callees, inner, inner),
        _fill("{}({}={})", callees, st.sampled_from(_ARGUMENTS), inner),
        _fill("{}({}, {}={})", callees, inner, st.sampled_from(_ARGUMENTS), inner),
        _fill("({} -> {})", inner, inner),
        _fill(
            "({} {} {})",
            inner,
            _operators,
            inner,
        ),
        _fill("({} if {} else {})", inner, inner, inner),
        _fill("[{} for i in {} if {}]", inner, inner, inner),
        _fill("{}[{}]", inner, inner),
        _fill("{}[{}:{}, ...]", inner, inner, inner),
        _fill("[{}, {}]", inner, inner),
        _fill("({} as {})", inner, st.sampled_from(["y", "x", "same", "conv"])),
        _fill("{{ {}; {} }}", inner, inner),
        _fill("-{}", inner),
        _fill("{}.{}", inner, st.sampled_from(["shape", "channels", "rank", "y"])),
    )


_things = st.recursive(st.sampled_from(_VALUES) | st.sampled_from(_CALLEES), _larger, max_leaves=6)


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        _fill("repeat {} {{ {} }}", _things, inner),
        _fill("repeat {} as {} {{ {} }}", _things, st.sampled_from(["part", "x"]), inner),
        _fill("for i in {} {{ {} }}", _things, inner),
        _fill("for (i, left) in {} {{ {}; {} }}", _things, inner, inner),
        _fill("if {} {{ {} }} else {{ {} }}", _things, inner, inner),
    )


_statements = st.recursive(
    st.one_of(
        _things,
        _things,
        _fill("y = {}", _things),
        _fill("x, y = {}, {}", _things, _things),
        _fill("output {}", _things),
        _fill("output y = {}, {}", _things, _things),
        _fill("expect {} == {}", _things, _things),
        _fill("expect receptive_field({}) < {}", _things, _things),
        _fill("layer e = {}", _things),
        _fill("input z [{}]", _things),
    ),
    _blocks,
    max_leaves=4,
)


@st.composite
def sensible(draw: Any) -> str:
    """A spec whose names are mostly bound and whose steps are mostly steps, so that most of it is elaborated."""
    inputs = draw(
        st.sampled_from(["x [8, 8, 4]", "x [N, 4]", "x [H, W, 3]", "x [6] int(10)", "x [16]", "x [4, 4, 4, 2]"])
    )
    inside, outside = (draw(st.lists(_statements, max_size=5)) for _ in range(2))
    return "\n".join(
        [
            "const table = [(1, 2), (3, 4)]",
            "block pair { input x; input y [..., c]; add(x, y) }",
            "block b(n=2) {",
            *inside,
            "}",
            f"net test(n=3) {{\n  input {inputs}\n  xs = [x, x]\n  layer e = relu",
            *outside,
            "}",
        ]
    )


@settings(max_examples=250)
@given(sensible())
def test_random_nets_bring_diagnostics_only(text: str) -> None:
    _survives(text)


@pytest.mark.sweep
@settings(max_examples=5000)
@given(mutated())
def test_many_mutated_specs(text: str) -> None:
    _survives(text)


@pytest.mark.sweep
@settings(max_examples=10_000)
@given(sensible())
def test_many_random_nets(text: str) -> None:
    _survives(text)


@pytest.mark.sweep
@settings(max_examples=5000)
@given(sentences() | soup)
def test_many_sentences_are_judged_alike(text: str) -> None:
    _agree(text)


# --- spans -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPECS)
def test_spans_hold_what_they_stand_for(name: str) -> None:
    text = SPECS[name]
    spec, faults = _parsed(text)
    assert not faults.all
    for definition in spec.definitions:
        for node in tree.walk(definition):
            shown = node.span.text
            assert shown == text[node.span.start : node.span.end] == shown.strip()
            if isinstance(node, tree.Name | tree.Identifier):
                assert shown == node.text


_STATEMENTS = (
    tree.Input,
    tree.Output,
    tree.Shared,
    tree.Expect,
    tree.Repeat,
    tree.For,
    tree.If,
    tree.Binding,
    tree.Flow,
)


def _plain(node: Any) -> Any:
    """A node without its places."""
    if isinstance(node, tuple):
        return tuple(map(_plain, node))
    if isinstance(node, tree.Node):
        fields = {n: _plain(v) for n, v in node.__dict__.items() if n not in ("span", "doc")}
        return type(node).__name__, fields
    return node


@pytest.mark.parametrize("name", TEXTS)
def test_the_text_of_a_span_parses_to_the_same(name: str) -> None:
    spec, _ = _parsed(TEXTS[name])
    for definition in spec.definitions:
        if isinstance(definition, tree.Broken):
            continue
        again, _ = _parsed(definition.span.text)
        assert [_plain(d) for d in again.definitions] == [_plain(definition)]
        for node in tree.walk(definition):
            if not isinstance(node, _STATEMENTS):
                continue
            alone, faults = _parsed(f"net alone {{\n{node.span.text}\n}}")
            if faults.failed:
                continue
            (made,) = alone.definitions
            assert isinstance(made, tree.Definition)
            assert [_plain(s) for s in made.body.statements] == [_plain(node)]


@pytest.mark.parametrize("word", ["net", "block", "cell", "const", "import", "from"])
@pytest.mark.parametrize("text", ["net test {{ \n {} }}", "net test {{\n x\n {}\n}}", "net test {{;{}}}"])
def test_words_of_definitions_are_names_in_bodies(text, word):
    _agree(text.format(word))
    assert not _parsed(text.format(word))[1].failed
