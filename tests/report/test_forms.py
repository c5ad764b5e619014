"""Forms for programs, read back by readers of their own: what is in a name comes out as it went in."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import random
import re
import subprocess
import sys
from itertools import permutations
from pathlib import Path
from urllib.parse import unquote

import pytest

from netspec.cli import main

# signs that one form or another has a use for
SIGNS = "\"'\\|*_<>[]`&~$,;:=#%{}()!@^+-./? \nab\u00e9\u4e2d"
GOOD = "net good { input x [4]; dense(3) }\n"
WRONG = "net wrong { input x [4]; unknown(3) }\n"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(capsys, *words):
    status = main(list(words))
    found = capsys.readouterr()
    return status, found.out, found.err


def names(count=40):
    """Names of signs, each with all of them somewhere among the first few; none begins a formula of a sheet."""
    rng = random.Random(0)
    found = ["".join(rng.choices(SIGNS, k=rng.randrange(1, 12))) for _ in range(count)]
    fixed = ["a|b", 'a"b', 'a\\"b', "a\\", "a\\|b", "a,b", "a%0Ab", "a%b", "a&amp;b", "<b>a</b>", "a`b``c", "a::b"]
    return [f"n{number}{name}z" for number, name in enumerate(fixed + found)]


def seen(name):
    """The name as it is shown where control characters are made visible."""
    return name.replace("\n", "\u240a")


@pytest.mark.parametrize("name", names())
def test_a_name_comes_out_as_it_went_in(name, capsys):
    Path("x.net").write_text(f"net n {{ input x [4]; dense(3, name={json.dumps(name, ensure_ascii=False)}); relu }}\n")
    told = json.loads(run(capsys, "check", "x.net", "--format", "json")[1])
    assert [row["path"] for row in told["layers"]] == [name, "relu"]
    rows = list(csv.DictReader(io.StringIO(run(capsys, "check", "x.net", "--format", "csv")[1])))
    assert [row["path"] for row in rows] == [seen(name), "relu"]
    assert [row["params"] for row in rows] == ["15", "0"]
    cells = table(run(capsys, "check", "x.net", "--format", "markdown")[1])
    assert [row[0] for row in cells] == ["x", seen(name), "relu"]
    assert {len(row) for row in cells} == {5}


def table(text):
    """The rows of a Markdown table, without its head: cells stand between bars that have no backslash before them."""
    lines = [line for line in text.split("\n") if line.startswith("|")][2:]
    rows = (re.findall(r"((?:\\.|[^|\\])*)\|", line[1:]) for line in lines)
    return [[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in row] for row in rows]


@pytest.mark.parametrize("name", names(20))
def test_pictures_read_back(name, capsys):
    pygraphviz = pytest.importorskip("pygraphviz")
    Path("x.net").write_text(f"net n {{ input x [4]; dense(3, name={json.dumps(name, ensure_ascii=False)}); relu }}\n")
    graph = pygraphviz.AGraph(string=run(capsys, "draw", "x.net")[1])
    ids = [str(node) for node in graph.nodes()]
    # Graphviz keeps both of two backslashes in an id
    assert ids == ["input:x", seen(name).replace("\\", "\\\\"), "output:output"]
    assert graph.number_of_edges() == 2
    label = graph.get_node(ids[1]).attr["label"]
    assert html.unescape(re.sub(r"<[^<>]*>", "", label.split("</TR>")[0])) == seen(name)


# --- places of faults ------------------------------------------------------------------------------------------------

PATHS = ["plain.net", "a b.net", "a,b.net", "a:b.net", "a%0Ab.net", "100%.net", "a#b?c.net", "a;b=c.net", "\u4e2d.net"]


@pytest.mark.parametrize("path", PATHS)
def test_a_workflow_command_reads_back(path, capsys):
    Path(path).write_text('net n(k=3) { input x [4]; dense(k, activation="50%, a::b") }\n')
    status, out, _ = run(capsys, "check", path, "--format", "github")
    assert status == 1
    (line,) = out.rstrip("\n").split("\n")
    kind, properties, message = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line).groups()
    held = dict(pair.split("=", 1) for pair in properties.split(","))
    read = {key: re.sub("%([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), value) for key, value in held.items()}
    assert (kind, read["file"], read["line"], read["title"]) == ("error", path, "1", "error[wrong-value]")
    words = re.sub("%([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), message)
    assert "50%, a::b" in words.split("\nhelp: ")[0]
    assert words.count("\nhelp: ") == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_sarif_log_reads_back(path, capsys):
    Path(path).write_text("net n { input x [4]; dens(3) }\n")
    run_of = json.loads(run(capsys, "check", path, "--format", "sarif")[1])["runs"][0]
    (result,) = run_of["results"]
    found = result["locations"][0]["physicalLocation"]
    assert unquote(found["artifactLocation"]["uri"]) == path
    assert not set(found["artifactLocation"]["uri"]) & set(' #?%"<>\u00e9') - {"%"}
    assert found["region"] == {"startLine": 1, "startColumn": 22, "endLine": 1, "endColumn": 26}
    assert run_of["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "unknown-name"


def test_a_sarif_log_of_several_codes_has_a_rule_for_each(capsys):
    Path("x.net").write_text("net n { input x [4]\n dens(3)\n dense(3, unit=4)\n den(4)\n unused = 3\n dense(0) }\n")
    log = json.loads(run(capsys, "check", "x.net", "--format", "sarif")[1])["runs"][0]
    rules = [rule["id"] for rule in log["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules) > 2
    assert [rules[r["ruleIndex"]] for r in log["results"]] == [r["ruleId"] for r in log["results"]]


# --- exit statuses ---------------------------------------------------------------------------------------------------

OF = {"good.net": 0, "wrong.net": 1, "missing.net": 2}


@pytest.fixture
def three():
    Path("good.net").write_text(GOOD)
    Path("wrong.net").write_text(WRONG)


@pytest.mark.parametrize("files", [f for count in (1, 2, 3) for f in permutations(OF, count)], ids=" ".join)
@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown", "github", "sarif"])
def test_the_worst_of_several_files_decides(files, form, three, capsys):
    """Whichever comes first or last: what cannot be read is worse than what is wrong."""
    status, _, err = run(capsys, "check", *files, "--format", form)
    assert status == max(OF[file] for file in files)
    assert ("missing.net" in err) is ("missing.net" in files)


@pytest.mark.parametrize("files", [f for count in (1, 2, 3) for f in permutations(OF, count)], ids=" ".join)
@pytest.mark.parametrize("options", [(), ("--check",), ("--diff",)])
def test_of_the_formatter_too(files, options, three, capsys):
    Path("good.net").write_text("net good {\n  input x [4]\n  dense(3)\n}\n")
    Path("wrong.net").write_text("net wrong {\n  input x [4\n}\n")
    status, _, _ = run(capsys, "fmt", *options, *files)
    assert status == max(OF[file] for file in files)


@pytest.mark.parametrize("files", [f for f in permutations(OF, 2) if "good.net" not in f], ids=" ".join)
def test_and_of_verify(files, three, capsys):
    assert run(capsys, "verify", "--target", "torch", *files)[0] == 2


@pytest.mark.parametrize("options", [("--set", "k=3"), ("--net", "other")])
def test_an_option_that_fits_one_of_the_files(options, three, capsys):
    Path("other.net").write_text("net other(k=2) { input x [4]; dense(k) }\n")
    for files in (("good.net", "other.net"), ("other.net", "good.net"), ("other.net", "wrong.net", "good.net")):
        assert run(capsys, "check", *files, *options)[0] == 2
    assert run(capsys, "check", "other.net", *options)[0] == 0


def test_code_is_in_utf8_whatever_the_terminal_speaks(tmp_path):
    Path("x.net").write_text("# \u4e2d \u00e9\nnet n { input x [4]; dense(3) }\n", encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "latin-1",
        "PYTHONPATH": os.pathsep.join(p or "." for p in sys.path),
    }
    command = [sys.executable, "-m", "netspec", "build", "x.net", "--to", "torch"]
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert "\u4e2d \u00e9" in done.stdout.decode()


@pytest.mark.parametrize("command", [["check"], ["fmt"], ["fmt", "--check"], ["verify"]])
def test_standard_input_is_read_once(command, capsys):
    status, _, err = run(capsys, *command, "-", "-")
    assert status == 2
    assert "standard input can be read only once" in err
