"""docs/grammar.md is the grammar as a table, made from `grammars/netspec.lark` (`--update-golden` writes it anew)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from netspec.syntax import generate

if TYPE_CHECKING:
    from conftest import Golden

PAGE = Path(__file__).parents[2] / "docs" / "grammar.md"
HEAD = """# The grammar

This table is made from `grammars/netspec.lark`, of which the parser is made, too; a test holds the two together.

`?` is none or one, `*` none or more, `+` one or more, `|` one of several; what stands in `code` stands so in a spec.
Words such as `repeat` are words only where they can begin something; elsewhere they are names. NAME and others in
capitals are below.

| rule | form |
| --- | --- |
"""
MIDDLE = """
Names and numbers, as regular expressions. A line end counts as *new line* except directly inside `( )` and `[ ]`; an
arrow and an `else` take the line ends before them, so a line that begins with `->` goes on.

| token | pattern |
| --- | --- |
"""
_RULE = re.compile(r"^\??(_?[a-z]\w*):((?:[^\n]|\n(?=\s+\|))*)", re.MULTILINE)
_TERMINAL = re.compile(r"^(_?[A-Z]\w*): (.+)$", re.MULTILINE)
_PIECE = re.compile(r'"[^"]*"|/(?:[^/\\]|\\.)+/|\w+|\S')


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _shown(rule: str, rules: set[str]) -> str:
    """A rule's name for people: lark drops the node of one that begins with `_`, which may have a namesake."""
    plain = rule.lstrip("_")
    return (f"{plain} list" if plain != rule and plain in rules else plain).replace("_", " ")


def _form(body: str, fixed: dict[str, str], rules: set[str]) -> str:
    """The right side of a rule: signs and words as code, other rules in italics."""
    found: list[str] = []
    for piece in _PIECE.findall(body):
        if piece in "?*+" and found:
            found[-1] += _cell(f"\\{piece}" if piece == "*" else piece)
        elif piece.startswith('"'):
            found.append(_code(piece[1:-1]))
        elif piece in fixed:
            found.append(fixed[piece])
        elif piece in rules:
            found.append(f"*{_shown(piece, rules)}*")
        else:
            found.append(_cell(piece))
    return " ".join(found).replace("( ", "(").replace(" )", ")")


def page() -> str:
    grammar = Path(generate.grammar_path()).read_text(encoding="utf-8")
    terminals = dict(_TERMINAL.findall(grammar))
    fixed = {"_NEWLINE": "*new line*", "ARROW": "`->`", "ELSE": "`else`"}
    for name, pattern in terminals.items():
        word = re.fullmatch(r'/(\w+)\\b/|"(.+)"', pattern)
        if word is not None:
            fixed[name] = _code(word[1] or word[2])
    rules = _RULE.findall(grammar)
    names = {name for name, _ in rules}
    rows = [f"| {_shown(name, names)} | {_form(body, fixed, names)} |" for name, body in rules]
    open_ended = [(n, p) for n, p in terminals.items() if n not in fixed]
    tokens = [f"| {name} | {_code(pattern.strip('/'))} |" for name, pattern in open_ended]
    return HEAD + "\n".join(rows) + "\n" + MIDDLE + "\n".join(tokens) + "\n"


def test_the_page_is_the_grammar(golden: Golden) -> None:
    golden.check(PAGE, page())


def test_every_rule_has_a_row() -> None:
    grammar = Path(generate.grammar_path()).read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z ]+) \|", page().split("| token |")[0], re.MULTILINE)[1:]
    assert len(rows) == len(set(rows)) == len(re.findall(r"^\??_?[a-z]\w*:", grammar, re.MULTILINE))
