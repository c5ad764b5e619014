"""What is done with an input: all that a user can ask for. A trial raises `Wrong` where what comes out is not right.

What a user is told of, a diagnostic or a word of refusal, is no fault; any other exception is one.
"""

from __future__ import annotations

import ast
import builtins
import csv
import io
import json
import re
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from netspec import cli
from netspec.api import check
from netspec.base.diagnostics import Collector, SpecError
from netspec.base.render import render
from netspec.base.source import Source
from netspec.codegen.pipeline import BACKENDS, emit
from netspec.codes import CODES
from netspec.diagram.canvas import TooManyBoxes
from netspec.diagram.dot import dot
from netspec.elaborate.net import SettingError, read_setting
from netspec.files import ReadError, decode
from netspec.report.json import document, dumps
from netspec.report.report import report
from netspec.report.tables import USUAL, table
from netspec.syntax import tree
from netspec.syntax.parser import parse
from netspec.syntax.printer import format_source

from .drawing import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from netspec.api import Verdict
    from netspec.base.diagnostics import Diagnostic

    from .drawing import Drawn


class Wrong(Exception):
    """What came out is not right: in a few words what is wrong, and what was seen."""

    def __init__(self, what: str, seen: object = "") -> None:
        super().__init__(f"{what}: {seen}" if seen else what)
        self.what = what


class Attempt:
    """One input on its way through the trials, and what is known of it by now."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn = drawn
        self.verdict: Verdict | None = None

    @property
    def layers(self) -> int:
        """How many layers its net has, as far as it was made out."""
        checked = None if self.verdict is None else self.verdict.checked
        return 0 if checked is None else checked.net.body.size

    @property
    def fate(self) -> str:
        """What became of it."""
        if self.verdict is None:
            return "refused"
        return "right" if self.verdict.ok else "diagnosed"


# --- check -----------------------------------------------------------------------------------------------------------

# Python's way to show an object, and what only the compiler's own text has
_INTERNAL = re.compile(
    r"<[\w.<>]+ object|<(?:class|function|bound method|built-in)|\b(?:POISON|Quotient|DimExpr|Tensor|Word|Floor|Symbol|"
    r"SharedStep|Instance|Initialiser|Values|Span)\((?!\))|\bNone\b|\bTrue\b|\bFalse\b|netspec\.|Traceback"
)


# diagnostics of one text that are looked at
_MOST = 100


def _settings(drawn: Drawn) -> dict[str, Any]:
    pairs = (text.partition("=") for text in drawn.settings)
    return {name: read_setting(value) for name, _, value in pairs}


def check_it(attempt: Attempt) -> None:
    """The whole way from bytes to figures or diagnostics, and both as text."""
    try:
        source = decode(attempt.drawn.path, attempt.drawn.data)
        attempt.verdict = check(source, None, _settings(attempt.drawn))
    except (ReadError, SettingError) as error:
        _told(str(error), "")
        return
    for found in attempt.verdict.diagnostics[:_MOST]:
        _diagnosed(found, source)
    if attempt.verdict.checked is None and attempt.verdict.ok:
        raise Wrong("neither a net nor a diagnostic")
    if attempt.verdict.checked is not None:
        _reported(attempt.verdict)


def _diagnosed(found: Diagnostic, source: Source) -> None:
    """A diagnostic lies within its text, has a code that is explained, and speaks of no Python."""
    if found.code not in CODES:
        raise Wrong("a code that is not explained", found.code)
    for label in (found.primary, *found.others):
        if not 0 <= label.span.start <= label.span.end <= len(label.span.source.text):
            raise Wrong("a place outside of the text", label.span)
    _told("\n".join((found.message, found.help, *found.notes, *(o.text for o in found.others))), source.text)
    _shown(render(found))


def _told(text: str, quoted: str) -> None:
    """Words for people: Python's own only where the author wrote them."""
    if not text.strip():
        raise Wrong("a message without words")
    for match in _INTERNAL.finditer(text):
        if match[0] not in quoted:
            raise Wrong("a message speaks of what is inside", f"{match[0]!r} in {text!r}")


_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


def _shown(text: str) -> None:
    """Text for a terminal has no sign that moves the cursor, colours, or turns the writing."""
    odd = _UNSEEN.search(text)
    if odd:
        raise Wrong(
            "a control character is shown", f"{odd[0]!r} in {text[max(0, odd.start() - 40) : odd.end() + 40]!r}"
        )


def _reported(verdict: Verdict) -> None:
    assert verdict.checked is not None
    found = report(verdict.checked, 2)
    _shown(table(found, USUAL))
    json.loads(dumps(document(verdict.source.name, found, verdict.diagnostics, verdict.ok)))


# --- layout ----------------------------------------------------------------------------------------------------------


def plain(node: Any) -> Any:
    """A tree without its places; the documentation of definitions counts."""
    if isinstance(node, tuple):
        return tuple(map(plain, node))
    if isinstance(node, tree.Node):
        return type(node).__name__, {n: plain(v) for n, v in node.__dict__.items() if n != "span"}
    return node


_TOO_DEEP = "nested too deep to be compared"


def _parsed(text: str) -> Any:
    """The tree of a text; None where it does not parse."""
    faults = Collector()
    spec = parse(Source("fuzz.net", text), faults)
    try:
        return None if faults.failed else [plain(d) for d in spec.definitions]
    except RecursionError:
        return _TOO_DEEP


def lay_out(attempt: Attempt) -> None:
    """`fmt` gives a text of the same meaning, which it leaves as it is."""
    if attempt.verdict is None:
        return
    source, faults = attempt.verdict.source, Collector()
    before, made = _parsed(source.text), format_source(source, faults)
    if (made is None) is not faults.failed or (made is not None and before is None):
        raise Wrong("fmt and the parser are of two minds", made)
    if made is None or before == _TOO_DEEP:
        return
    if _parsed(made) != before:
        raise Wrong("fmt changes the meaning", made)
    again = format_source(Source("fuzz.net", made), Collector())
    if again != made:
        raise Wrong("fmt of what it wrote is another", f"{made!r}\n{again!r}")


# --- code and pictures -----------------------------------------------------------------------------------------------


def _python(framework: str, style: str = "") -> Callable[[Attempt], None]:
    def trial(attempt: Attempt) -> None:
        verdict = attempt.verdict
        if verdict is None or not verdict.ok:
            return
        try:
            text = emit(verdict.checked, framework, style)
        except SpecError as error:
            for found in error.diagnostics:
                _diagnosed(found, verdict.source)
            return
        compiles(text)

    return trial


def compiles(text: str) -> None:
    """Python takes the text; and no two arguments or methods of a class have one name."""
    try:
        module = compile(text, "generated.py", "exec", ast.PyCF_ONLY_AST)
        compile(module, "generated.py", "exec")
    except (SyntaxError, ValueError) as error:
        raise Wrong("generated code does not compile", f"{error}\n{text[:4000]}") from None
    nodes = list(ast.walk(module))
    for scope in nodes:
        if isinstance(scope, ast.ClassDef | ast.Module):
            _once(scope.body)
    _bound(nodes)


def _bound(nodes: Iterable[ast.AST]) -> None:
    """Each name that the code reads is bound somewhere in it, or is Python's own."""
    names = [node for node in nodes if isinstance(node, ast.Name)]
    found = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    found.update(node.arg for node in nodes if isinstance(node, ast.arg))
    found.update(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef))
    found.update(a.asname or a.name.partition(".")[0] for a in nodes if isinstance(a, ast.alias))
    loose = {name.id for name in names} - found - set(dir(builtins))
    if loose:
        raise Wrong("generated code uses a name that nothing binds", sorted(loose))


def _once(body: Iterable[ast.stmt]) -> None:
    names = [s.name for s in body if isinstance(s, ast.FunctionDef | ast.ClassDef)]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise Wrong("two definitions of one name", sorted(twice))


_WRITERS: dict[str, Callable[[Any], str]] = {
    "torch": lambda net: emit(net, "torch"),
    **{f"keras {style}": lambda net, style=style: emit(net, "keras", style) for style in BACKENDS["keras"]},
}


def compare_twins(attempt: Attempt) -> None:
    """The code of a net is that of its twin with plain names, but for the names."""
    if attempt.verdict is None or not attempt.verdict.ok or not attempt.drawn.twin:
        return
    twin = check(decode("fuzz.net", attempt.drawn.twin))
    if not twin.ok:
        return
    for target, write in _WRITERS.items():
        one, other = (_structure(write, verdict.checked) for verdict in (attempt.verdict, twin))
        if one != other:
            raise Wrong(f"names change the code ({target})", f"more {dict(one - other)}, less {dict(other - one)}")


# what a line that is too long makes more or less of: values are named that stand in another expression elsewhere
_NAMING = (ast.Name, ast.Assign, ast.expr_context)


def _structure(write: Callable[[Any], str], net: Any) -> Counter[str]:
    """What the code is made of, but for names and texts; nothing where the framework has no form for something."""
    try:
        nodes = ast.walk(ast.parse(write(net)))
    except SpecError:
        return Counter()
    return Counter(_sort(node) for node in nodes if not isinstance(node, _NAMING))


def _sort(node: ast.AST) -> str:
    return f"{len(node.elts)} in brackets" if isinstance(node, ast.Tuple) else type(node).__name__


def draw_it(attempt: Attempt) -> None:
    if attempt.verdict is None or not attempt.verdict.ok:
        return
    try:
        text = dot(attempt.verdict.checked)  # type: ignore[arg-type]
    except TooManyBoxes:
        return
    _balanced(text)


_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|=<(?:[^<>]|<[^<>]*>)*>', re.DOTALL)


def _balanced(text: str) -> None:
    """Strings of a DOT text end, and so do its brackets."""
    rest = _QUOTED.sub("", text).replace("->", "")
    if any(sign in rest for sign in '"<>') or any(rest.count(a) != rest.count(b) for a, b in ("{}", "[]")):
        raise Wrong("a DOT text with open strings or brackets", rest[:1000])
    _control(text)


def _control(text: str) -> None:
    odd = re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)
    if odd:
        raise Wrong("a control character in a file", repr(odd[0]))


# --- commands --------------------------------------------------------------------------------------------------------


def _sheet(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if len({len(row) for row in rows}) > 1:
        raise Wrong("a CSV table with ragged rows", text)
    for cell in (c for row in rows for c in row):
        if cell[:1] in ("=", "+", "@", "\t", "\r") or (cell[:1] == "-" and not re.fullmatch(r"-?[\d.e+-]+", cell)):
            raise Wrong("a cell that a sheet takes for a formula", cell)
    _control(text)


def _workflow(text: str) -> None:
    for line in text.splitlines():
        if not re.match(r"::(error|warning|notice) [^:]*(:[^:]+)*::", line):
            raise Wrong("a line that is no workflow command", line)
    _shown(text)


def _json(text: str) -> None:
    json.loads(text)
    _shown(text)


def _nothing(text: str) -> None:
    """No more is asked of the text than that it came."""


# the words of a command, and what its output must be
_SPEC = "-"
COMMANDS: dict[tuple[str, ...], Callable[[str], None]] = {
    ("check", "--depth", "1", "--training"): _shown,
    ("check", "--format", "json"): _json,
    ("check", "--format", "csv"): _sheet,
    ("check", "--format", "markdown", "--columns", "name,path,type,output_shape"): _shown,
    ("check", "--format", "github"): _workflow,
    ("check", "--format", "sarif"): _json,
    ("fmt",): _nothing,
    ("fmt", "--diff"): _nothing,  # what `patch` takes, sign by sign
    ("draw",): _balanced,
    ("build", "--to", "torch"): lambda text: compiles(text),
    **{("build", "--to", "keras", "--style", style): lambda text: compiles(text) for style in BACKENDS["keras"]},
}


# options that take a word of the user's
_OPTIONS = (
    *(("check", option) for option in ("--net", "--set", "--columns", "--batch", "--depth", "--include", "--dtype")),
    *(("draw", option) for option in ("--depth", "--unroll", "--direction")),
    ("build", "--to"),
)


class _Stream(io.TextIOWrapper):
    """A standard stream that keeps what was written."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8", errors="strict", newline="")

    def text(self) -> str:
        self.flush()
        kept: io.BytesIO = self.buffer  # type: ignore[assignment]
        return kept.getvalue().decode("utf-8", "replace")


def command(words: tuple[str, ...], data: bytes) -> tuple[int, str, str]:
    """The status of a command, and what it wrote to its two outputs. An exception that it would show is raised."""
    kept = sys.stdin, sys.stdout, sys.stderr, cli._crashed
    sys.stdin, sys.stdout, sys.stderr = _Stream(data), _Stream(), _Stream()
    cli._crashed = _raised
    try:
        status = cli.main(list(words))
        return status, sys.stdout.text(), sys.stderr.text()
    finally:
        sys.stdin, sys.stdout, sys.stderr, cli._crashed = kept


def _raised(error: Exception, _: object) -> int:
    raise error


def commands(attempt: Attempt) -> None:
    """Each command on the text, as it comes from standard input; and those that take no spec, on hostile words."""
    for words, right in COMMANDS.items():
        run_it((words[0], _SPEC, *words[1:]), attempt.drawn.data, right)
    for word in attempt.drawn.words:
        for name in ("explain", "layers", "check", "zoo"):
            run_it((name, word), b"", _shown)
        for words in _OPTIONS:
            run_it((words[0], _SPEC, *words[1:], word), attempt.drawn.data, _nothing)


def run_it(words: tuple[str, ...], data: bytes, right: Callable[[str], None]) -> None:
    """One command. What is not right of it is known by its name and its options."""
    status, out, err = command(words, data)
    try:
        _answered(status, err)
        if out:
            right(out)
    except Wrong as wrong:
        raise Wrong(f"{wrong.what} ({' '.join((words[0], *words[2:]))})", wrong) from None


def _answered(status: int, err: str) -> None:
    if status not in (cli.OK, cli.WRONG, cli.MISUSED):
        raise Wrong(f"a status of {status}")
    if status == cli.WRONG and not err.strip():
        raise Wrong("a command that fails without a word")
    _shown(err)


# --- threads ---------------------------------------------------------------------------------------------------------

_AT_ONCE = 4
# seconds between two threads: as often as Python can
_OFTEN = 1e-5


def _document(data: bytes) -> str:
    """All that a check has to say of a text."""
    try:
        verdict = check(decode("fuzz.net", data))
    except ReadError as error:
        return str(error)
    made = None if verdict.checked is None else report(verdict.checked)
    shown = "\n".join(render(d) for d in verdict.diagnostics)
    return dumps(document("fuzz.net", made, verdict.diagnostics, verdict.ok)) + shown


def _attempted(data: bytes) -> str | Exception:
    try:
        return _document(data)
    except Exception as error:
        return error


def threads(attempt: Attempt) -> None:
    """Texts checked at the same time are found to be what they are alone."""
    texts = (attempt.drawn.data, *attempt.drawn.others)
    alone = [_document(text) for text in texts]
    found: dict[int, Any] = {}

    def work(first: int) -> None:
        for n in range(first, len(texts), _AT_ONCE):
            found[n] = _attempted(texts[n])

    before = sys.getswitchinterval()
    sys.setswitchinterval(_OFTEN)
    workers = [threading.Thread(target=work, args=(n,)) for n in range(_AT_ONCE)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.setswitchinterval(before)
    for n, expected in enumerate(alone):
        if isinstance(found[n], Exception):
            raise found[n]
        if found[n] != expected:
            raise Wrong("another result in a thread", f"text {n}:\n{expected}\n{found[n]}")


TRIALS: dict[str, Callable[[Attempt], None]] = {
    "check": check_it,
    "fmt": lay_out,
    "draw": draw_it,
    "torch": _python("torch"),
    **{f"keras-{style}": _python("keras", style) for style in BACKENDS["keras"]},
    "commands": commands,
    "twins": compare_twins,
    "threads": threads,
}
# what a frame of ours is, in a traceback
OURS = str(ROOT / "netspec")
