"""The canonical layout: the same tree, the same comments at the same places, and nothing to do the second time."""

from __future__ import annotations

import io
import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from test_docs import NETS
from test_syntax import mutated, sensible, sentences

from netspec.base.diagnostics import Collector
from netspec.base.source import Source
from netspec.cli import main
from netspec.codes import CODES
from netspec.syntax import tables, tree
from netspec.syntax.parser import parse
from netspec.syntax.pieces import pieces
from netspec.syntax.printer import PRINTED, format_source

ROOT = Path(__file__).parents[2]
FILES = sorted(
    p for folder in ("specs", "examples", "tests/cases", "tests/data/nets") for p in (ROOT / folder).rglob("*.net")
)
TEXTS = {str(p.relative_to(ROOT)): p.read_text(encoding="utf-8") for p in FILES}
TEXTS |= {str(n.id): str(n.values[0]) for n in NETS}
TEXTS |= {f"explain {name}": text for name, code in CODES.items() for text in (code.wrong, code.right)}


def formatted(text: str) -> str:
    faults = Collector()
    made = format_source(Source("test.net", text), faults)
    assert made is not None, [d.message for d in faults.all]
    return made


def plain(node: Any) -> Any:
    """A tree without its places; the documentation of definitions counts."""
    if isinstance(node, tuple):
        return tuple(map(plain, node))
    if isinstance(node, tree.Node):
        fields = {n: plain(v) for n, v in node.__dict__.items() if n != "span"}
        return type(node).__name__, fields
    return node


def parsed(text: str) -> Any:
    """The tree of a text; None where it does not parse."""
    faults = Collector()
    spec = parse(Source("test.net", text), faults)
    return None if faults.failed else [plain(d) for d in spec.definitions]


def words(text: str) -> list[str]:
    """Words, signs and comments in their order. Commas come and go, and a comment may change places with one."""
    found = []
    for piece in pieces(text):
        found += [line for r in piece.remarks for line in r.text.split("\n")]
        if piece.text != ",":
            found.append(piece.text)
    return found


def holds(text: str) -> None:
    """All that is promised of the layout of a text that parses."""
    made = formatted(text)
    assert parsed(made) == parsed(text)
    assert words(made) == words(text)
    assert formatted(made) == made
    assert not re.search(r"[ \t]$|\n\n\n|\A\n|\{\n\n|\n\n *\}|\t", made, re.MULTILINE) or "\t" in text
    assert not made or made.endswith("\n")
    assert not made.endswith("\n\n")


def test_every_node_can_be_printed() -> None:
    """A new kind of node needs an entry in the table. `Broken` stands for what did not parse, and is never printed."""
    kinds = {v for v in vars(tree).values() if isinstance(v, type) and issubclass(v, tree.Node)}
    assert set(PRINTED) == kinds - {tree.Node, tree.Broken}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_the_project(name: str) -> None:
    if parsed(TEXTS[name]) is not None:
        holds(TEXTS[name])


def test_the_specs_of_the_project_are_laid_out(capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(ROOT / folder) for folder in ("specs", "examples", "netspec/std")]
    assert main(["fmt", "--check", *folders]) == 0, capsys.readouterr().out


@settings(max_examples=150)
@given(sentences() | sentences("_statement", 40).map(lambda text: f"net test {{\n{text}\n}}"))
@example("net n { if a { b }; else -> c }")
@example("net n {\n  if a {\n b } # why\n ; else -> c }")
@example("net n { (repeat) -> x; (a), (b); (a, b), c; f((a, b), (c,)); a, (b) = c }")
@example("net n { x[::]; x[:, 1:]; x[(a):b]; x[a:b:c]; x[-1, ...]; - - x; not not x; 2 ** -x }")
@example("net n { for (a,) in b { }; for a, in b { }; for (a, b,) in [c, d,] { } }")
@example("net n { (b and next d), f = g; (b), f = g; ((b), c) = g; (b + c), ((d)) = e }")
@example("net n { (next b), next c = d; next b, (next c) = d; (next b, (next c),) = d; (next b,) = d }")
def test_sentences_of_the_grammar(text: str) -> None:
    assume(parsed(text) is not None)
    holds(text)


@settings(max_examples=100)
@given(mutated() | sensible())
def test_mutated_and_random_specs(text: str) -> None:
    assume(parsed(text) is not None)
    holds(text)


# where a name can stand: `@` is the name
POSITIONS = (
    "net @ { input x [3]; relu }",
    "block @(n) { dense(n) }",
    "cell @ { input x; state h [2]; next h = h; output next h }",
    "const @ = 3",
    'import "a.net" as @',
    'from "a.net" import @, b as @',
    'from "a.net" import (@,)',
    "block b(@, n=@) { dense(n, units=@) }",
    *(
        f"net n {{{before}{statement}{behind}}}"
        for before in ("", "input x [3];", "if a { b }\n", "# why\n\n")
        for behind in ("", " # so\n\nrelu")
        for statement in (
            "@",
            "@ = 3",
            "@, b = b, @",
            "a, @ = 3, 4",
            "(@, b) = f(x)",
            "@ -> relu",
            "@\n-> relu",
            "@(3)",
            "@[0]",
            "@.shape",
            "@ + 1",
            "-@",
            "(@)",
            "(@, b)",
            "[@]",
            "{ @ }",
            "relu as @",
            "@ as b",
            "a if @ else @",
            "f(@=@, b=3)",
            "f(@)",
            "x.@",
            "@ and @",
            "not @",
            "x[@:@, @]",
            "[@ for @ in @ if @]",
            "input @",
            "input @ [@, ...] @",
            "input @ @(@)",
            "output @",
            "output @ = @, b",
            "state @ [@]",
            "state @ [3] @=@ = 4",
            "next @ = @",
            "weight @ [@] @=@, init=@",
            "layer @ = @",
            "expect @ == @",
            "repeat @ { @ }",
            "repeat 3 as @ { @ }",
            "for @ in @ { @ }",
            "for @, b in @ as @ { @ }",
            "for (@,) in @ {\n@\n}",
            "if @ { @ } else { @ }",
            "if @ {\n@\n}\nelse if @ { @ } else { @ }",
        )
    ),
)


@pytest.mark.parametrize("word", [*tables.WORDS, "def", "class", "None", "été", "x3", "_"])
def test_any_word_at_any_place(word: str) -> None:
    """A text that parses is laid out to one that does, whatever stands for a name in it."""
    kept = 0
    for position in POSITIONS:
        text = position.replace("@", word)
        if parsed(text) is not None:
            holds(text)
            kept += 1
    assert kept > (40 if word in tables.WORDS else len(POSITIONS) - 40)


@pytest.mark.parametrize("word", ["net", "block", "const", "import", "from"])
@pytest.mark.parametrize("before", ["net n {", "net n {\n", "net n { input x [3];", "net n { input x [3]\n# why\n  "])
def test_words_of_definitions_are_names_in_a_body(word: str, before: str) -> None:
    made = formatted(f"{before}{word} = 3; {word} as {word} -> dense({word})\n}}")
    assert f"\n  {word} = 3\n  {word} as {word} -> dense({word})\n" in made
    assert parsed(made) is not None


# --- layouts, one by one ---------------------------------------------------------------------------------------------

LAYOUTS = {
    "blanks": (
        "net  a( n = 1,m=-2 ){input x[3 ,n]int( 5 );relu   ->dense( n+m,bias = not true )as  y}",
        "net a(n=1, m=-2) { input x [3, n] int(5); relu -> dense(n + m, bias=not true) as y }\n",
    ),
    "tight products and ranges": (
        "const a = 2*b+3 * c\nconst r = 0 .. n - 1\nconst s = x[ a + 1 : ][ : : -1 ]\nconst p = 2**n // 3",
        "const a = 2*b + 3 * c\nconst r = 0..n-1\nconst s = x[a+1:][::-1]\nconst p = 2**n // 3\n",
    ),
    "brackets stay": (
        "const a = ((b+c))*(d)\nconst e = ( f, )\nconst g = ( (h,i ) ,j,)",
        "const a = ((b + c))*(d)\nconst e = (f,)\nconst g = ((h, i), j)\n",
    ),
    "a statement a line": (
        "net a {\n input x [3]; relu;; tanh\n\n\n\n\n  softmax\n\n}",
        "net a {\n  input x [3]\n  relu\n  tanh\n\n  softmax\n}\n",
    ),
    "definitions apart": (
        "\n\nconst a = 1\nconst b = 2\nnet c {\n relu }\nblock d { relu }\nblock e { tanh }\n\n\n\n",
        "const a = 1\nconst b = 2\n\nnet c {\n  relu\n}\n\nblock d { relu }\nblock e { tanh }\n",
    ),
    "comments around definitions": (
        "#head\n\n\n#doc\nconst a = 1 #behind\n#doc of b\nnet b {\n} # behind b\n# the end",
        "# head\n\n# doc\nconst a = 1  # behind\n\n# doc of b\nnet b {}  # behind b\n# the end\n",
    ),
    "comments in bodies": (
        "net a { # open\n\n  # own\n  relu # behind\n\n  #last\n\n}",
        "net a {  # open\n  # own\n  relu  # behind\n\n  # last\n}\n",
    ),
    "comments in a row": (
        "net a {\n relu #behind\n#one \n\t #two\n   # three\n\n#four\n;#five\n}",
        "net a {\n  relu  # behind\n  # one\n  # two\n  # three\n\n  # four\n  # five\n}\n",
    ),
    "comments in a row in lists": (
        "const a = [1, # b\n# c\n#d\n2]",
        "const a = [\n  1,  # b\n  # c\n  # d\n  2,\n]\n",
    ),
    "thousands of comments": ("#a\n  #b\n" * 1200 + "#c", "# a\n# b\n" * 1200 + "# c\n"),
    "comments in lists": (
        "const a = [ # open\n 1, # one\n\n # own\n 2 # two\n , 3\n # last\n]",
        "const a = [  # open\n  1,  # one\n\n  # own\n  2,  # two\n  3,\n  # last\n]\n",
    ),
    "comments in expressions": (
        "net a { f(b + # why\n c, (d # so\n ), x -> # odd\n relu) }",
        "net a {\n  f(\n    b +  # why\n    c,\n    (\n      d  # so\n    ),\n    x ->  # odd\n    relu,\n  )\n}\n",
    ),
    "comments in chains": (
        "net a {\n y = x -> relu # one\n # own\n -> tanh\n}",
        "net a {\n  y = x -> relu  # one\n        # own\n        -> tanh\n}\n",
    ),
    "branches on one line": (
        "net a {\n if b{c}else if d {e} else{f}\n}",
        "net a {\n  if b { c } else if d { e } else { f }\n}\n",
    ),
    "branches on a line each": (
        "net a {\n if b{c}\n\n else if d {e}\n else{f}\n}",
        "net a {\n  if b { c }\n  else if d { e }\n  else { f }\n}\n",
    ),
    "branches broken": (
        "net a {\n if b{c}\n else if d {\n e}\n # why\n else{f}\n}",
        "net a {\n  if b {\n    c\n  } else if d {\n    e\n  }\n  # why\n  else {\n    f\n  }\n}\n",
    ),
    "chains keep their breaks": (
        "net a {\n y = x -> relu\n -> tanh -> softmax\n -> relu\n" + "long(" + "a, " * 9 + ")\n-> tanh\n}",
        "net a {\n  y = x -> relu\n        -> tanh -> softmax\n        -> relu\n"
        + f"  long({', '.join('a' * 9)})\n    -> tanh\n}}\n",
    ),
    "a chain that is too long": (
        "net a {\n x" + " -> dense(10_000)" * 10 + "\n}",
        "net a {\n  x" + " -> dense(10_000)" * 6 + "\n    " + "-> dense(10_000) " * 3 + "-> dense(10_000)\n}\n",
    ),
    "lists that are too long": (
        f"net a {{\n join({'branch(1, 2), ' * 9})\n}}",
        "net a {\n  join(\n" + "    branch(1, 2),\n" * 9 + "  )\n}\n",
    ),
    "numbers fill their lines": (
        f"const a = [{'1_000, ' * 20}]",
        "const a = [\n  " + "1_000, " * 16 + "1_000,\n  " + "1_000, " * 2 + "1_000,\n]\n",
    ),
    "rows stay, opened lists too": (
        "const a = [\n 1, 2,\n 3, 4]\nconst b = [1, 2,\n 3]\nnet c { add(\n d, e -> f) }",
        "const a = [\n  1, 2,\n  3, 4,\n]\n\nconst b = [1, 2, 3]\n\nnet c {\n  add(\n    d,\n    e -> f,\n  )\n}\n",
    ),
    "sums break in brackets only": (
        f"net a {{\n expect (\n b\n + c) == {' + '.join(['long_name'] * 12)}\n}}",
        f"net a {{\n  expect (\n    b\n    + c\n  ) == {' + '.join(['long_name'] * 12)}\n}}\n",
    ),
    "a list alone in a call": (
        f"net a {{\n each({{ relu\n tanh }})\n add([{'branch(1, 2), ' * 9}])\n}}",
        "net a {\n  each({\n    relu\n    tanh\n  })\n  add([\n" + "    branch(1, 2),\n" * 9 + "  ])\n}\n",
    ),
    "a body too long for a line": (
        f"net a {{\n repeat 3 {{ {'dense(10) -> ' * 9}relu }}\n}}",
        f"net a {{\n  repeat 3 {{\n    {'dense(10) -> ' * 8}dense(10)\n              -> relu\n  }}\n}}\n",
    ),
    "nothing": ("\n \n", ""),
    "comments only": ("\n\n#a\n\n\n#b", "# a\n\n# b\n"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(name: str) -> None:
    before, after = LAYOUTS[name]
    assert formatted(before) == after
    holds(before)


def test_comments_in_a_row_are_one() -> None:
    (end,) = pieces("# a\n" * 2500)
    assert [remark.text.count("# a") for remark in end.remarks] == [1000, 1000, 500]


def test_wide_letters_count_twice() -> None:
    text = "net a {{\n  dense({0}, {0}, {0})\n}}\n"
    assert formatted(text.format("x" * 30)).count("\n") == 3
    assert formatted(text.format("層" * 30)).count("\n") > 3


# --- comments and line ends wherever they may stand ------------------------------------------------------------------


def noisy(text: str, luck: random.Random, much: float) -> str:
    """The text with comments, line ends and blanks put wherever they mean nothing."""
    found: list[str] = []
    inside = [""]
    end = 0
    for piece in pieces(text):
        between = text[end : piece.start]
        free = inside[-1] in ("(", "[") or "\n" in between or piece.text in ("->", "else", "}") or found[-1:] == ["{"]
        if free and luck.random() < much:
            noise = [f" # {luck.randrange(1000)}\n", "\n", "\n\n\n", "  ", "\t", f"\n#{luck.randrange(1000)}\n"]
            between += "".join(luck.choices(noise, k=luck.randint(1, 3)))
        if piece.text in ("(", "[", "{"):
            inside.append(piece.text)
        elif piece.text in (")", "]", "}"):
            inside.pop()
        found += [between, piece.text] if between else [piece.text]
        end = piece.end
    return "".join(found)


@settings(max_examples=150)
@given(st.sampled_from(sorted(TEXTS)), st.randoms(use_true_random=False), st.sampled_from([0.02, 0.1, 0.5, 1.0]))
def test_comments_anywhere(name: str, luck: random.Random, much: float) -> None:
    tree_of = parsed(TEXTS[name])
    assume(tree_of is not None)
    text = noisy(TEXTS[name], luck, much)
    assume(parsed(text) is not None)
    holds(text)


@settings(max_examples=80)
@given(sensible(), st.randoms(use_true_random=False), st.sampled_from([0.1, 0.5]))
def test_comments_anywhere_in_random_specs(text: str, luck: random.Random, much: float) -> None:
    assume(parsed(text) is not None)
    text = noisy(text, luck, much)
    assume(parsed(text) is not None)
    holds(text)


@pytest.mark.sweep
@settings(max_examples=4000)
@given(
    st.sampled_from(sorted(TEXTS)) | sensible(), st.randoms(use_true_random=False), st.sampled_from([0.02, 0.2, 1.0])
)
def test_many_texts(name: str, luck: random.Random, much: float) -> None:
    text = TEXTS.get(name, name)
    assume(parsed(text) is not None)
    text = noisy(text, luck, much)
    assume(parsed(text) is not None)
    holds(text)


@pytest.mark.sweep
@settings(max_examples=4000)
@given(sentences() | mutated(), st.randoms(use_true_random=False), st.sampled_from([0.0, 0.3]))
def test_many_sentences(text: str, luck: random.Random, much: float) -> None:
    assume(parsed(text) is not None)
    text = noisy(text, luck, much)
    assume(parsed(text) is not None)
    holds(text)


# --- the command -----------------------------------------------------------------------------------------------------

ODD = "net  a{input x [3]\nrelu}"
EVEN = "net a {\n  input x [3]\n  relu\n}\n"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs `netspec fmt` in a folder that holds a file to change, one to leave and one that does not parse."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner").mkdir()
    for name, text in (("odd", ODD), ("even", EVEN), ("inner/odd", ODD), ("broken", "net a {\n  conv(3 3)\n}\n")):
        Path(f"{name}.net").write_text(text)

    def command(*words):
        status = main(["fmt", *words])
        return status, *capsys.readouterr()

    return command


def test_files_are_rewritten(run) -> None:
    stamp = Path("even.net").stat().st_mtime_ns
    assert run("odd.net", "even.net", "odd.net") == (0, "", "netspec: formatted odd.net\n")
    assert Path("odd.net").read_text() == EVEN
    assert Path("even.net").stat().st_mtime_ns == stamp
    assert run("-q", "odd.net", "even.net") == (0, "", "")


def test_what_does_not_parse_is_left_alone(run) -> None:
    status, out, err = run("broken.net", "odd.net")
    assert (status, out) == (1, "")
    assert "error[syntax]: " in err
    assert "broken.net:2:10" in err
    assert Path("broken.net").read_text() == "net a {\n  conv(3 3)\n}\n"
    assert Path("odd.net").read_text() == EVEN


def test_check_names_what_would_change(run) -> None:
    assert run("--check", "odd.net", "even.net") == (1, "odd.net\n", "netspec: 1 file would change\n")
    assert run("--check", "even.net") == (0, "", "")
    assert Path("odd.net").read_text() == ODD


def test_a_folder_stands_for_its_specs(run) -> None:
    Path("broken.net").unlink()
    Path(".hidden").mkdir()
    Path(".hidden/odd.net").write_text(ODD)
    odd = [str(Path("inner/odd.net")), "odd.net"]
    status, out, err = run("--check", ".")
    assert (status, err) == (1, "netspec: 2 files would change\n")
    assert sorted(str(Path(line)) for line in out.splitlines()) == odd
    assert run(".")[0] == 0
    assert run("--check", ".") == (0, "", "")
    assert Path(".hidden/odd.net").read_text() == ODD
    Path("empty").mkdir()
    status, out, err = run("empty")
    assert (status, out) == (2, "")
    assert "no .net file in empty" in err


def test_a_difference_can_be_applied(run) -> None:
    status, out, err = run("--diff", "odd.net", "even.net")
    assert (status, err) == (0, "")
    assert out.startswith("--- odd.net\n+++ odd.net\n@@ -1,2 +1,4 @@\n-net  a{input x [3]\n")
    assert "\\ No newline at end of file" in out
    assert Path("odd.net").read_text() == ODD
    if shutil.which("patch"):
        subprocess.run(["patch", "-s"], input=out, text=True, check=True)
        assert Path("odd.net").read_text() == EVEN


def test_a_difference_with_check_fails(run) -> None:
    status, out, err = run("--check", "--diff", "odd.net", "--color", "always")
    assert (status, err) == (1, "netspec: 1 file would change\n")
    assert "\x1b[32m+net a {\x1b[0m" in out


def test_standard_input(run, monkeypatch) -> None:
    def typed(text: str, *words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return run("-", *words)

    assert typed(ODD) == (0, EVEN, "")
    assert typed(EVEN) == (0, EVEN, "")
    assert typed(ODD, "--check") == (1, "<stdin>\n", "netspec: 1 file would change\n")
    status, out, err = typed("net {")
    assert (status, out) == (1, "")
    assert "error[syntax]" in err
    assert run("-", "-")[0] == 2


def test_line_ends_are_kept(run) -> None:
    Path("odd.net").write_bytes(ODD.replace("\n", "\r\n").encode())
    assert run("odd.net")[0] == 0
    assert Path("odd.net").read_bytes() == EVEN.replace("\n", "\r\n").encode()
    assert run("--check", "odd.net")[0] == 0


def test_a_file_that_is_not_there(run) -> None:
    status, out, err = run("nowhere.net", "odd.net")
    assert (status, out) == (2, "")
    assert "there is no file nowhere.net" in err
    assert Path("odd.net").read_text() == EVEN


def test_too_deep_is_said(run) -> None:
    Path("odd.net").write_text(f"const a = {'(' * 20_000}1{')' * 20_000}\n")
    status, _, err = run("odd.net")
    assert status == 1
    assert "error[too-large]" in err
