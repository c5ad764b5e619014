"""Command lines: what is read without argparse is what argparse reads, and argparse alone says what is wrong."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from netspec.cli import COMMANDS
from netspec.cli.options import CommandLine, Exit, UsageError
from netspec.cli.parser import Parser
from netspec.cli.screen import Console
from netspec.cli.usage import read

LINES = 400


def parsers(command: str, monkeypatch: pytest.MonkeyPatch) -> list[Parser]:
    """The parser of a command, or those of its two commands."""
    caught: list[Parser] = []

    def catch(parser: Parser, words: list[str]) -> None:
        caught.append(parser)
        raise Exit

    monkeypatch.setattr(Parser, "read", catch)
    module = __import__(f"netspec.cli.{command}", fromlist=["run"])
    for words in (["convert"], ["match"]) if command == "weights" else ([],):
        with pytest.raises(Exit):
            module.run(words, Console())
    return caught


def argparsed(parser: Parser, words: list[str]) -> CommandLine:
    return read(parser.command, parser.about, parser.declared, words, parser.screen)


def values(declared, rng: random.Random) -> str:
    right = [str(c) for c in declared.how.get("choices", ())] or ["3", "x=3", "0.5"]
    return rng.choice(right if rng.random() < 0.9 else ["", "-", "-3", "odd", "a b", "7"])


def line(parser: Parser, rng: random.Random) -> list[str]:
    """Words: options in both forms with values that fit or do not, words without an option, and odd things."""
    words: list[str] = []
    needed = [d for d in parser.declared if (d.how.get("required") or d.positional) and rng.random() < 0.8]
    free = [d for d in parser.declared if not d.positional or rng.random() < 0.1]
    for declared in rng.sample(needed, len(needed)) + rng.choices(free, k=rng.randrange(4)):
        name = rng.choice(declared.names)
        if declared.positional:
            words.append(rng.choice(["a.net", "b", "-", "zoo:vgg16"]))
        elif declared.flag:
            words.append(name + rng.choice(["", "", "", "=1"]))
        else:
            words += rng.choice([[name, values(declared, rng)], [f"{name}={values(declared, rng)}"]])
    if rng.random() < 0.1:
        words.insert(rng.randrange(len(words) + 1), rng.choice(["--", "--odd", "-x", "-qq", "--help", "--fo=csv", ""]))
    return words


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_read_plainly_is_what_argparse_reads(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(command)
    for parser in parsers(command, monkeypatch):
        plain = 0
        for _ in range(LINES):
            words = line(parser, rng)
            found = parser.plain(words)
            if found is None:
                continue
            plain += 1
            assert vars(found) == vars(argparsed(parser, words)), words
        assert plain > LINES // 20


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["a.net", "--format", "xml"], "invalid choice: 'xml'"),
        (["a.net", "--batch", "0"], "`0` is not a whole number of at least 1"),
        (["a.net", "--batch"], "expected one argument"),
        (["a.net", "--bach", "1"], "did you mean `--batch`?"),
        (["a.net", "-q=1"], "ignored explicit argument"),
        ([], "the following arguments are required: FILE"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (parser,) = parsers("check", monkeypatch)
    assert parser.plain(words) is None
    with pytest.raises(UsageError, match=told.replace("?", r"\?")):
        argparsed(parser, words)


def test_a_plain_command_line_needs_no_argparse() -> None:
    for words in (["explain", "syntax"], ["check", "specs/lenet5.net", "--format", "csv", "--batch=2", "-q"]):
        code = f"import sys; from netspec.cli import main; sys.exit(main({words!r}) or 'argparse' in sys.modules)"
        subprocess.run([sys.executable, "-S", "-c", code], check=True, capture_output=True)
