"""What is too large is refused, and what is large costs in proportion: work is counted, never timed.

Texts that once had no end run in a process of their own, whose processor time and memory have limits far above what
they take.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from netspec import consteval
from netspec.api import check
from netspec.base.bounds import LARGEST_SIZE, METER, MOST_AXES, MOST_BITS, MOST_DIGITS, MOST_TERMS, TooLarge
from netspec.base.diagnostics import PATIENCE, Collector, SpecError
from netspec.base.dims import symbol
from netspec.base.render import render_all
from netspec.base.source import Source
from netspec.elaborate.net import SettingError, read_setting
from netspec.syntax.build import MOST_DOC
from netspec.syntax.parser import LONGEST, MOST_WORDS, parse

ROOT = Path(__file__).parents[2]
# seconds of processor time and bytes, of which a sound run takes a tenth
SECONDS, BYTES = 20, 600 * 2**20


def found(text: str, **settings: Any) -> list[tuple[str, str]]:
    """Codes and messages of the errors of a text."""
    verdict = check(Source("test.net", text), None, settings)
    return [(d.code, d.message) for d in verdict.diagnostics if d.severity == "error"]


def codes(text: str) -> list[str]:
    return [code for code, _ in found(text)]


def run(*words: str, text: str = "", folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command in a process that may not take much."""
    resource = pytest.importorskip("resource")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))

    command = [sys.executable, "-m", "netspec", *words]
    return subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        preexec_fn=limit,
        cwd=folder or ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=600,
    )


# --- numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "condition",
    [
        "1_000_000_000_000_000_000 == 10**18",
        "123456789012345678901234567890 == 1234567890 * 10**20 + 12345678901234567890",
        "0000000000000000064 == 64",
        "len(3x12345678901234567890) == 2 and 3x12345678901234567890 == (3, 12345678901234567890)",
        "10**40 // 10**38 == 100",
        "0.99 ** 5000 > 0",
    ],
)
def test_numbers_are_exact(condition: str) -> None:
    assert codes(f"net n {{ input x [4]; dense(3); expect {condition} }}") == []


def test_leading_zeros_count_nothing() -> None:
    verdict = check(Source("test.net", "net n { input x [4]; dense(0000000000000000064) }"))
    assert verdict.checked is not None
    assert verdict.checked.totals.params == 4 * 64 + 64


@pytest.mark.parametrize(
    "value",
    ["9" * (MOST_DIGITS + 1), "1e999", "9" * (LONGEST + 1), f"2**{MOST_BITS + 1}", "1e200*1e200", "(1e308+1e308)/2"],
)
def test_numbers_that_are_too_large_are_refused(value: str) -> None:
    assert codes(f"net n {{ input x [4]; a = {value}; dense(3) }}") == ["too-large"]
    assert codes(f"net n {{ input x [4]; a = {'9' * MOST_DIGITS}; dense(3) }}") == []


def test_a_number_that_grows_is_stopped() -> None:
    text = "net n { input x [3]; a = 1; for i in 0..15000 { a = a + a }; dense(a) }"
    assert found(text) == [("too-large", f"a number of more than {MOST_BITS} bits comes out here")]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("(0-8) ** 0.5", "wrong-value"),
        ("T ** -1", "unknown-size"),
        ("T / 2.0", "wrong-value"),
        ("T < 0.5", "wrong-value"),
    ],
)
def test_what_is_no_number(value: str, code: str) -> None:
    assert codes(f"net n {{ input x [T, 4]; a = {value}; dense(3) }}") == [code]


# --- sizes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "input x [3, 2**70]; x[...]",
        f"input x [{LARGEST_SIZE + 1}]; relu",
        "input x [3]; dense(10**150)",
        "input x [T, 4]; input y [2**64 * T, 4]; relu(x)",
        f"input x [{', '.join(['1'] * (MOST_AXES + 1))}]; relu",
        "input x [3]; weight w [2**63]; w * x",
    ],
)
def test_no_framework_holds_it(body: str) -> None:
    assert "too-large" in codes(f"net n {{ {body} }}")


def test_the_largest_size_is_done() -> None:
    assert codes(f"net n {{ input x [{LARGEST_SIZE}]; relu }}") == []
    assert codes(f"net n {{ input x [{', '.join(['1'] * MOST_AXES)}]; relu }}") == []


def test_a_reshape_to_very_many_axes() -> None:
    assert codes("net n { input x [8]; reshape(1..100000) }") == ["wrong-value"]


@pytest.mark.parametrize("n", ["1001", "1000000"])
def test_a_stack_has_a_limit(n: str) -> None:
    assert codes(f"net n {{ input x [T, 8]; stack({n}, lstm(8)) }}") == ["wrong-value"]
    assert codes("net n { input x [T, 8]; stack(1000, lstm(8)) }") == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("input x [4] int(9); 2 / x", "wrong-dtype"),
        ("input x []; x[...]", None),
        ("input x []; activation(softmax)", "wrong-axis"),
        ("input x [3]; layer enc = floor(3); enc", "not-a-step"),
    ],
)
def test_what_once_ended_in_a_traceback(body: str, expected: str | None) -> None:
    assert codes(f"net n {{ {body} }}") == ([] if expected is None else [expected])


def test_a_quotient_of_integers_is_told_of_as_its_reciprocal() -> None:
    one, two = (found(f"net n {{ input x [4] int(9); {n} / x }}") for n in (1, 2))
    assert one == two != []


@pytest.mark.parametrize(
    ("bound", "code"),
    [
        ("0.5", "wrong-value"),
        ("-3", "wrong-value"),
        ('"a"', "wrong-value"),
        ("true", "wrong-value"),
        ("0", "wrong-value"),
        ("2**63", "wrong-value"),
        ("vocab", "unknown-name"),
    ],
)
def test_bounds_of_whole_numbers(bound: str, code: str) -> None:
    assert codes(f"net n {{ input x [4] int({bound}); embedding(10, 3) }}") == [code]
    assert codes("net n(v=10) { input x [T] int(v); embedding(v, 3) }") == []
    assert codes("net n { input x [T] int(T); embedding(10, 3) }") == []


# --- symbolic arithmetic -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "input x [T, S]; a = T + S; " + "a = a*a; " * 14 + "dense(a)",
        "input x [A, B, C, D, E, F, G, H]; a = (A+B+C+D+E+F+G+H)**8; b = a*a; dense(3)",
        "input x [H, W, 4]; repeat 8 { conv(4, 3x3, stride=2, padding=same) -> upsample(3) }",
        "input x [T, S]; a = T; for i in 0..10000 { a = a*T + S }; dense(3)",
        "input x [T, S]; a = T; for i in 0..10000 { a = (a + i) // (S + i) }; dense(3)",
        "input x [T, S]; a = T; for i in 0..10000 { a = a * 1000000007 }; dense(3)",
    ],
)
def test_symbolic_sizes_have_limits(body: str) -> None:
    done = run("check", "-", "-q", text=f"net n {{ {body} }}")
    assert done.returncode == 1, done.stderr
    assert "error[too-large]" in done.stderr


def test_terms_are_counted_while_a_net_is_checked() -> None:
    one = symbol("T") + symbol("S")
    METER.start()
    try:
        _ = one * one
        assert METER.left == MOST_TERMS - 4 - 4  # four products, and four terms that are summed
        METER.spend(METER.left - 7)
        with pytest.raises(TooLarge):
            _ = one * one
    finally:
        METER.stop()
    assert not METER.runs
    assert str(one * one) == "2*S*T + S**2 + T**2"


def test_a_text_of_a_size_is_written_once() -> None:
    deep = symbol("T")
    for _ in range(30):
        deep = (deep * 3 + 1) // (symbol("S") + 1) + symbol("T")  # type: ignore[assignment]
    assert str(deep) is str(deep)
    assert deep == deep + 0
    assert hash(deep) == hash(deep + 0)


# --- lists ---------------------------------------------------------------------------------------------------------

_NESTED = "a = [1, 1]; for i in 0..40 { a = [a, a] }; "


@pytest.mark.parametrize("use", ["b(a)", "dense(a)", "if a == a { relu }"])
def test_lists_of_lists_have_a_limit(use: str) -> None:
    done = run("check", "-", "-q", text=f"block b(k) {{ relu }}\nnet n {{ input x [3]; {_NESTED}{use}; dense(2) }}")
    assert done.returncode == 1, done.stderr
    assert "error[too-large]" in done.stderr


def test_items_of_lists_are_counted() -> None:
    inner = (1, (2, 3))
    assert [consteval.items_in(v) for v in (7, (), (1, 2), inner, (inner, inner))] == [0, 0, 2, 4, 10]
    assert consteval.items_in((0,) * consteval.LONGEST) == consteval.LONGEST
    assert consteval.items_in(((0,) * consteval.LONGEST, 0)) > consteval.LONGEST


@pytest.mark.parametrize(
    "turn", ["b = a[1:]", "b = sum(a)", "if a == a { b = 1 }", "if i in a { b = 1 }", "u(a)", "a = a + [1]"]
)
def test_what_goes_over_a_list_is_work(turn: str) -> None:
    net = f"net n {{ input x [3]; relu; a = [i for i in 0..30000]; for i in 0..20000 {{ {turn} }} }}"
    text = f"block u(k) {{ relu }}\n{net}"
    assert codes(text) == ["too-large"]


def test_what_keeps_names_is_work() -> None:
    lines = "\n".join(f"a{i} = {i}\nexpect a{i} == {i}" for i in range(6000))
    assert codes(f"net n {{ input x [3]; relu\n{lines}\n}}") == ["too-large"]
    few = "\n".join(f"a{i} = {i}\nexpect a{i} == {i}" for i in range(600))
    assert codes(f"net n {{ input x [3]; relu\n{few}\n}}") == []


# --- nesting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "[" * 3000 + "1" + "]" * 3000,
        "-" * 3001 + "3",
        "1 ** " * 3000 + "1",
        "1 if false else " * 3000 + "1",
        "b" + "[0]" * 3000,
    ],
)
def test_deep_nesting_is_refused(value: str) -> None:
    assert codes(f"net n {{ input x [3]; b = [1]; a = {value}; dense(3) }}") == ["too-large"]


def test_a_setting_that_is_too_large() -> None:
    for text in ("[" * 500 + "]" * 500, "0..1000000", "2**600"):
        with pytest.raises(SettingError, match="larger than the limits allow"):
            read_setting(text)
    assert read_setting("(" * 500 + "3" + ")" * 500) == 3
    assert codes(f"net n(k={'[' * 900}{']' * 900}) {{ input x [3]; relu }}") == ["too-large"]
    assert codes("net n(k=[i for i in 0..100000]) { input x [3]; relu }") == ["too-large"]


# --- texts ---------------------------------------------------------------------------------------------------------

_NET = "net n { input x [4]; dense(3) }"


@pytest.mark.parametrize(
    "text",
    [
        "# a comment line of text\n" * 10**6 + _NET,
        " " * 30_000_000 + "\n" + _NET,
        "\n" * 30_000_000 + _NET,
        _NET + ";" * 10_000_000,
        "net n { input x [4]; relu" + "\n# why\n" * 300_000 + "-> dense(3) }",
    ],
    ids=["comments", "blanks", "lines", "semicolons", "before an arrow"],
)
def test_line_breaks_take_no_memory_of_their_own(text: str, tmp_path: Path) -> None:
    (tmp_path / "long.net").write_text(text)
    done = run("check", "long.net", "-q", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_memory_of_comments_is_in_proportion(tmp_path: Path) -> None:
    (tmp_path / "long.net").write_text("# a comment line of text\n" * 10**6 + _NET)
    code = (
        "import resource, sys; from netspec.cli import main; main(['check', 'long.net', '-q']);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    pytest.importorskip("resource")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    kilobytes = int(done.stdout) // (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 100 * 1024


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (f'input x [4]; dense(3, name="{"a" * 30_000_000}")', "text"),
        (f"input x [4]; dense(3) as {'a' * 6000}", "name"),
        (f"input x [4]; dense({'9' * 6000})", "number"),
    ],
)
def test_words_have_a_limit(body: str, what: str) -> None:
    (fault,) = [f for f in found(f"net n {{ {body} }}") if f[0] == "too-large"]
    assert fault[1].startswith(f"this {what} has ")
    assert f"{LONGEST:,}" in fault[1]
    assert codes(f"net n {{ input x [4]; dense(3) as {'a' * LONGEST} }}") == []


def test_a_text_of_too_many_words() -> None:
    faults = Collector()
    parse(Source("test.net", "net n { a = [" + "1," * MOST_WORDS + "] }"), faults)
    assert [d.code for d in faults.all] == ["too-large"]


def test_documentation_has_a_limit() -> None:
    lines = [f"# line {i}" for i in range(MOST_DOC + 50)]
    verdict = check(Source("test.net", "\n".join([*lines, _NET])))
    assert verdict.checked is not None
    assert verdict.checked.net.body.definition.doc.split("\n") == [line[2:] for line in lines[50:]]


def test_a_comment_with_a_semicolon_inside_brackets() -> None:
    assert codes("net n { input x [4]; dense(  # units; no more\n 3) }") == []


@pytest.mark.parametrize("stride", [1, 2, 5, 4096])
def test_places_in_a_text(stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netspec.base.source._STRIDE", stride)
    text = "a\n\nbc\n\n\nd e\n"
    source = Source("test.net", text)
    for offset in range(len(text) + 1):
        before = text[:offset]
        assert source.position(offset) == (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert [source.line(n + 1) for n in range(text.count("\n") + 1)] == text.split("\n")


# --- what grows with the text ----------------------------------------------------------------------------------------


def calls_of(work: Any, name: str) -> int:
    """How often a function of that name is called."""
    count = 0

    def watch(frame: Any, event: str, arg: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_name == name

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def _lines(form: str, count: int) -> str:
    return "\n".join(form.replace("#", str(i)) for i in range(count))


def _chain(folder: Path, count: int) -> Source:
    for i in range(count):
        following = f'import "f{i + 1}.net"\n' if i + 1 < count else ""
        (folder / f"f{i}.net").write_text(f"{following}block b{i} {{ relu }}\n")
    text = 'import "f0.net"\nnet n { input x [4]; b0 }\n'
    return Source("main.net", text, str(folder / "main.net"))


def all_calls(source: Source) -> int:
    """How many functions are called to check a text."""
    count = 0

    def watch(frame: Any, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        check(source)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    "form",
    [
        "net n { input x [4]\n@\n}|a# = dense(3) -> nothing#",
        "net n { input x [4]\n@\n}|a# = dense(zork#)",
        "net n { input x [4]\n@\n}|zork#(3)",
        "@\nnet n { input x [4]; relu }|block b#(n) { dense(n) }",
        "net n { input x [4]\n@\n}|dense(4)",
        "net n { input x [4]\n@\n}|x -> relu",
        "net n { input x [4]\n@\nrelu }|a# = 3",
        "block b0 { relu }\n@\nnet n { input x [4]; relu }|block c# { b0 }",
        "net n { @\nrelu(x0) }|input x# [4]",
    ],
)
def test_work_grows_with_the_text(form: str) -> None:
    around, line = form.split("|")
    small, large = (all_calls(Source("test.net", around.replace("@", _lines(line, n)))) for n in (400, 1600))
    assert large < 5 * small


def test_work_grows_with_the_files(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "large").mkdir()
    small, large = _chain(tmp_path / "small", 50), _chain(tmp_path / "large", 200)
    assert all_calls(large) < 5 * all_calls(small)


def test_a_long_chain_of_files_is_held_once(tmp_path: Path) -> None:
    verdict = check(_chain(tmp_path, 30))
    assert verdict.ok
    assert verdict.checked is not None
    files = verdict.checked.net.design.files
    assert len(files) == 31
    assert all(design.files is files for design in files.values())


def test_work_grows_with_a_chain_of_blocks() -> None:
    def chain(count: int) -> Source:
        blocks = "\n".join(f"block b{i} {{ b{i - 1} }}" for i in range(count, 0, -1))
        return Source("test.net", f"block b0 {{ relu }}\n{blocks}\nnet n {{ input x [4]; relu }}")

    assert all_calls(chain(800)) < 5 * all_calls(chain(200))
    assert codes(chain(3000).text) == []


# --- pipes -----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("words", [("check", "pipe.net"), ("check", "imports.net"), ("fmt", "--check", ".")])
def test_a_pipe_is_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.net")
    (tmp_path / "imports.net").write_text('import "pipe.net"\nnet n { input x [4]; relu }\n')
    done = run(*words, folder=tmp_path)
    assert done.returncode in (1, 2)
    assert "is a pipe, which may never end" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="no /dev/fd here")
def test_what_the_shell_has_opened_is_read() -> None:
    assert run("check", "/dev/stdin", "-q", text=_NET).returncode == 0


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_of_very_many_diagnostics_some_are_shown() -> None:
    text = "net n { input x [4]\n" + _lines("a# = 1", 60) + "\n" + _lines("expect params == #", 70) + "\nrelu }"
    verdict = check(Source("test.net", text))
    kinds = [d.severity for d in verdict.diagnostics]
    assert kinds.count("error") == 69
    shown = render_all(verdict.diagnostics)
    assert shown.count("error[") == 50
    assert shown.count("warning[") == 0
    assert shown.endswith("\n\n19 errors and 60 warnings more; `--format json` lists all")
    assert str(SpecError(verdict.diagnostics)) == shown


def test_warnings_that_are_left_out_are_counted() -> None:
    text = "net n { input x [4]\n" + _lines("a# = 1", 60) + "\nrelu }"
    shown = render_all(check(Source("test.net", text)).diagnostics)
    assert shown.count("warning[") == 50
    assert shown.endswith("10 warnings more; `--format json` lists all")


def test_what_may_be_meant_is_looked_for_a_number_of_times() -> None:
    text = "net n { input x [4]\n" + _lines("a# = dense(denze#)", 150) + "\nrelu }"
    helps = [bool(d.help) for d in check(Source("test.net", text)).diagnostics if d.code == "unknown-name"]
    assert helps == [True] * PATIENCE + [False] * (150 - PATIENCE)


def test_a_long_line_is_shown_around_its_mark() -> None:
    text = "net n { input x [4]; " + "relu; " * 5000 + "zork(3) }"
    shown = render_all(check(Source("test.net", text)).diagnostics)
    mark = next(line for line in shown.split("\n") if "^^^^" in line)
    line = shown.split("\n")[shown.split("\n").index(mark) - 1]
    assert line[mark.index("^") :].startswith("zork(3)")
    assert len(line) < 140


def test_a_long_list_is_shown_in_part() -> None:
    ((_, message),) = found("net n { input x [4]; dense(range(0, 1000)) }")
    assert message.endswith("not (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, ...)")


def test_faults_of_the_text_say_where_reading_ends() -> None:
    faults = Collector()
    parse(Source("test.net", "net n {\n" + ")\n" * 40 + "}"), faults)
    assert len(faults.all) == 25
    assert faults.all[-1].notes == ("the text is not read any further",)
