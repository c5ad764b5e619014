"""What a spec or a path holds stays text wherever it is shown: no terminal, log, sheet or picture obeys it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

import netspec
from netspec.base.render import clean, inert, inert_part
from netspec.cli import main

# colours, the title of a window, C1, letters set from right to left, isolates, a bell, a line and paragraph separator
CODES = "\x1b[31mred\x1b]0;title\x07 \x9b32m \u202eleft\u2066 \x08 \u2028 \u2029 \x7f \u200e"
HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Cs"}
JOINERS = "\u200c\u200d"
COMMAND = re.compile(r"\s*::[a-z-]+.*::|.*##(vso|teamcity)?\[")
FORMULAS = ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1"]
SPEC = f"""# first {CODES}
# ::error file=x::y
#    ::warning::z
# it says ##[error]no and ##vso[task.setvariable]no
# =1+1
net hostile(text="{CODES} ##[error]no") {{
  input x [3]
  dense(4, name="{CODES}")
  dense(4, name="::error file=x::y")
  dense(4, name="##[error]no")
  dense(4, name="a\\n::error::y\\t")
  {{ dense(4) }} as inner
  expect params == 96
  expect output == (  # ##[error]no
    [4]
  )
}}
"""
FORMS = [
    ["check"],
    ["check", "--color", "always"],
    *(["check", "--format", form] for form in ("json", "csv", "markdown", "github", "sarif")),
    ["check", "--set", f"{CODES}=3"],
    ["check", "--set", f"text={CODES}"],
    ["check", "--net", CODES],
    ["check", "--include", CODES],
    ["check", f"--{CODES}"],
    ["check", "--columns", CODES],
    ["check", "--depth", CODES],
    ["draw"],
    ["draw", "-o", f"{CODES}.dot"],
    ["draw", "-o", f"no/{CODES}.dot"],
    ["draw", "-o", CODES],
    ["build", "--to", "torch"],
    ["build", "--to", "keras"],
    ["build", "--to", "keras", "--style", "subclass"],
    ["build", "--to", "torch", "-o", f"{CODES}.py"],
    ["fmt", "--check"],
    ["fmt", "--diff"],
    ["fmt", "--diff", "--color", "always"],
    ["fmt"],
]
WRONG = SPEC.replace("96", "3").replace("relu", CODES) + f'block b(n="{CODES}") {{ unknown(n, {CODES}) }}'
PATHS = ["plain.net", "a\r\n::error file=x::y.net", f"{CODES}.net", "::error::x.net", "\udcff.net", "##[error]x.net"]


def hidden(text: str) -> set[str]:
    """The characters that are not seen; our own colours are no harm."""
    ours = re.sub(r"\x1b\[[0-9;]*m", "", text) if "\x1b[0m" in text else text
    return {c for c in ours if unicodedata.category(c) in HIDDEN and c not in "\n" + JOINERS}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CI", "true")


def printed(capsys, words):
    main(words)
    found = capsys.readouterr()
    return found.out, found.err


@pytest.mark.parametrize("spec", [SPEC, WRONG], ids=["good", "wrong"])
@pytest.mark.parametrize("path", PATHS, ids=ascii)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: " ".join(form)[:40].encode("ascii", "replace").decode())
def test_nothing_obeys_what_is_printed(form, path, spec, capsys):
    if sys.platform == "darwin" and "\udcff" in path:
        pytest.skip("this system has no such names")
    Path(path).write_text(spec)
    allowed = re.compile(r"::(error|warning|notice) file=[^:]*::") if "github" in form else None
    for text in printed(capsys, [form[0], path, *form[1:]]):
        assert hidden(text) == set()
        for line in text.split("\n"):
            obeyed = COMMAND.match(line)
            assert obeyed is None or (allowed is not None and allowed.match(line)), line


@pytest.mark.parametrize(
    "words",
    [[CODES], ["explain", CODES], ["layers", CODES], ["zoo", CODES], ["check", f"zoo:{CODES}"], ["weights", CODES]],
)
def test_nor_what_was_typed(words, capsys):
    for text in printed(capsys, words):
        assert hidden(text) == set()


def test_a_path_with_a_line_end_stays_on_its_line(capsys):
    out, err = printed(capsys, ["check", "none\n::error::x.net"])
    assert (out, err) == ("", "netspec: there is no file none\u240a::error::x.net\n")


def test_data_is_as_it_was_written(capsys):
    Path("x.net").write_text(SPEC)
    out, _ = printed(capsys, ["check", "x.net", "--format", "json"])
    paths = [layer["path"] for layer in json.loads(out)["layers"]]
    assert paths == [CODES, "::error file=x::y", "##[error]no", "a\n::error::y\t", "inner.0"]


@pytest.mark.parametrize("name", FORMULAS, ids=ascii)
def test_no_cell_of_a_sheet_is_a_formula(name, capsys):
    text = name.replace("\r", "\\r")
    files = ["x.net", f"{name}.net"]
    for path in files:
        Path(path).write_text(f'net n {{ input x [3]; dense(4, name="{text}") }}\n')
    words = ["check", "--format", "csv", "--columns", "path,output_shape,name"]
    out, _ = printed(capsys, [*words, *(f for f in files if not f.startswith("-"))])
    rows = list(csv.reader(io.StringIO(out)))
    assert len(rows) > 1
    assert all(re.match(r"['\w:\[.\u2400-\u2421]|$", cell) for row in rows for cell in row), rows
    if name[0] in "=+-@":
        assert rows[1][-3] == rows[1][-1] == f"'{name}"


def test_a_diff_for_a_program_is_not_changed(capsys, monkeypatch):
    monkeypatch.delenv("CI")
    Path("x.net").write_text(SPEC + "\n\n")
    out, _ = printed(capsys, ["fmt", "--diff", "x.net"])
    assert CODES.split("\u2028")[0] in out or "-\n" in out
    assert "\u240a" not in out


def test_the_string_of_an_argument_keeps_its_value(capsys):
    Path("x.net").write_text('net n(mode="##[a]###") {\n  input x [3]\n  dense(3 if mode == "##[a]###" else 4)\n}\n')
    out, _ = printed(capsys, ["build", "x.net", "--to", "torch"])
    assert "##[" not in out
    if "mode" in out:
        assert re.search(r'"(#\\x23)\[a\]', out)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", ": :error::x"),
        (" \t::set-output name=a::b", " \t: :set-output name=a::b"),
        ("a ::error::x", "a ::error::x"),
        ("a ##[error]x", "a ## [error]x"),
        ("##vso[a]##teamcity[b]", "##vso [a]##teamcity [b]"),
        ("## a [3]", "## a [3]"),
    ],
)
def test_commands(line, shown):
    assert inert(line) == shown
    assert inert_part(line) == (line if "::" in line else shown)


def test_every_hidden_character_becomes_visible():
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert hidden(clean(every)) == set()
    assert "\n" not in clean(every)
    assert clean("a b\u3000c\xa0d") == "a b\u3000c\xa0d"


def test_a_picture_has_no_characters_of_control(capsys):
    Path("x.net").write_text(SPEC)
    out, _ = printed(capsys, ["draw", "x.net"])
    assert "##[" not in out
    assert ": :" not in out
    assert "inner" in out
    assert os.listdir() == ["x.net"]


def test_standard_input_laid_out_for_people_and_for_programs(tmp_path):
    """On a terminal or in a log the text is inert; in a file or a pipe it is what was written."""
    words = [sys.executable, "-m", "netspec", "fmt", "-"]
    environment = {n: v for n, v in os.environ.items() if n not in ("CI", "TF_BUILD")}
    environment["PYTHONPATH"] = str(Path(netspec.__file__).parents[1])
    piped = subprocess.run(words, input=SPEC.encode(), capture_output=True, env=environment, check=True).stdout.decode()
    assert CODES in piped
    log = subprocess.run(words, input=SPEC.encode(), capture_output=True, env={**environment, "CI": "1"}, check=True)
    assert hidden(log.stdout.decode()) == set()
    assert "##[" not in log.stdout.decode()
    with open(tmp_path / "out.net", "wb") as file:
        subprocess.run(words, input=SPEC.encode(), stdout=file, env={**environment, "CI": "1"}, check=True)
    assert (tmp_path / "out.net").read_text() == piped
