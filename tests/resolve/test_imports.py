"""Imports as programs and people at a terminal meet them: which files may be read, and what is said of them."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

import netspec
from netspec.cli import main
from netspec.resolve import imports

BLOCKS = "const width = 8\nblock unit(n=width) { dense(n) -> relu }\n"
MAIN = 'from "{}" import unit\nnet main {{ input x [4]; unit; expect params == 40 }}\n'


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """`work` is the current folder, with a file in it, one below it, and one beside it."""
    for place in ("work/blocks.net", "work/lib/blocks.net", "beside/blocks.net"):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(BLOCKS)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def write(name, text):
    Path(name).write_text(text)
    return name


def codes(caught):
    return [d.code for d in caught.value.diagnostics]


# --- which files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["blocks.net", "./blocks.net", "lib/blocks.net", "lib/../blocks.net"])
def test_paths_are_relative_to_the_importing_file(path, folders, monkeypatch):
    file = folders / "work" / write("main.net", MAIN.format(path))
    monkeypatch.chdir("/")
    assert netspec.load(file).report().totals.params == 40


def test_an_absolute_path_within_the_folder(folders):
    assert netspec.load(write("main.net", MAIN.format(folders / "work/lib/blocks.net"))).name == "main"


def test_text_imports_from_the_current_folder(monkeypatch):
    assert netspec.parse(MAIN.format("lib/blocks.net"), name="elsewhere/text.net").name == "main"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MAIN.format("blocks.net").encode())))
    assert main(["check", "-", "-q"]) == 0


@pytest.mark.parametrize("folder", ["../beside", "..", Path("../beside")])
def test_another_folder_has_to_be_allowed(folder):
    file = write("main.net", MAIN.format("../beside/blocks.net"))
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load(file)
    assert codes(caught) == ["import-outside"]
    assert netspec.load(file, include=[folder]).name == "main"
    assert netspec.load(file, include=folder).name == "main"
    assert netspec.parse(Path(file).read_text(), include=["lib", folder]).name == "main"


def test_a_folder_allows_no_other_whose_name_it_begins(folders):
    (folders / "beside_it").mkdir()
    write(folders / "beside_it/blocks.net", BLOCKS)
    with pytest.raises(netspec.SpecError):
        netspec.load(write("main.net", MAIN.format("../beside_it/blocks.net")), include=["../beside"])


def test_the_tree_is_that_of_the_importing_file():
    write("lib/low.net", 'from "../blocks.net" import unit\nblock low { unit }\n')
    file = write("main.net", 'from "lib/low.net" import low\nnet main { input x [4]; low }')
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load(file)
    assert [d.primary.span.source.name for d in caught.value.diagnostics] == ["lib/low.net"]
    assert netspec.load(file, include=".").name == "main"


def test_a_link_leads_where_it_leads(folders):
    os.symlink(folders / "beside/blocks.net", "linked.net")
    file = write("main.net", MAIN.format("linked.net"))
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load(file)
    assert codes(caught) == ["import-outside"]
    assert netspec.load(file, include=[folders / "beside"]).name == "main"


@pytest.mark.parametrize("text", ['import "/dev/null"', 'import "std/../__init__.py"', 'import "std//etc/passwd"'])
def test_what_lies_outside_is_not_read(text, monkeypatch):
    monkeypatch.setattr(imports, "read_as", lambda *_: pytest.fail("it was read"))
    with pytest.raises(netspec.SpecError) as caught:
        netspec.parse(text + "\nnet n { input x [4]; relu }")
    assert codes(caught) == ["import-outside"]


def test_a_file_is_read_once(monkeypatch):
    write("lib/one.net", 'import "../lib/blocks.net" as b\nblock one { b.unit }\n')
    os.symlink("lib/blocks.net", "again.net")
    text = """
import "lib/blocks.net"
import "./lib/../lib/blocks.net" as b
from "again.net" import unit
import "lib/one.net"
net n { input x [4]; unit -> b.unit -> one }
"""
    read = []
    real = imports.read_as
    monkeypatch.setattr(imports, "read_as", lambda path, shown: read.append(shown) or real(path, shown))
    assert netspec.parse(text).report().totals.params == 40 + 2 * 72
    assert read == ["lib/blocks.net", "lib/one.net"]


def test_the_library_needs_no_permission_and_no_folder_of_that_name():
    os.mkdir("std")
    write("std/blocks.net", BLOCKS)
    library = 'from "std/conv.net" import conv_norm\nnet n { input x [8, 8, 3]; conv_norm(4) }'
    assert netspec.parse(library).report().totals.params == 3 * 9 * 4 + 8
    assert netspec.parse(MAIN.format("./std/blocks.net")).name == "main"
    with pytest.raises(netspec.SpecError, match=r"no file std/blocks\.net"):
        netspec.parse(MAIN.format("std/blocks.net"))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe\x00", "UTF-16"), (b"const a = \x00", "byte 11 is 0"), (b"# \xe4\n", "not in UTF-8")],
)
def test_a_file_that_is_no_text(content, words):
    Path("odd.net").write_bytes(content)
    with pytest.raises(netspec.SpecError, match=words) as caught:
        netspec.parse('import "odd.net"\nnet n { input x [4]; relu }')
    assert codes(caught) == ["import-failed"]
    assert caught.value.diagnostics[0].primary.span.text == '"odd.net"'


def test_a_long_chain_of_files():
    for number in range(300):
        write(f"f{number}.net", f'from "f{number + 1}.net" import b{number + 1} as b\nblock b{number} {{ relu }}\n')
    write("f300.net", "block b300 { relu }")
    assert netspec.parse('from "f0.net" import b0\nnet n { input x [4]; b0 }').name == "n"


def test_folders_are_looked_up_once(folders, monkeypatch):
    """A chain of files asks the system for each file once, not for each folder above it."""
    deep = folders / "work/a/b/c/d"
    deep.mkdir(parents=True)
    for number in range(40):
        (deep / f"f{number}.net").write_text(f'import "f{number + 1}.net"\n')
    (deep / "f40.net").write_text("net n { input x [4]; relu }")
    asked, lstat = [], os.lstat
    monkeypatch.setattr(os, "lstat", lambda path: asked.append(path) or lstat(path))
    assert netspec.parse('import "a/b/c/d/f0.net"\nnet n { input x [4]; relu }').name == "n"
    assert len(asked) < 41 + 3 * 20


# --- names ---------------------------------------------------------------------------------------------------------


def test_imported_nets_are_not_the_nets_of_the_file():
    write("nets.net", "net other { input x [4]; relu }\nblock b { relu }")
    with pytest.raises(netspec.UnknownNet, match="no net `other`"):
        netspec.parse('import "nets.net"\nnet n { input x [4]; b }', net="other")
    with pytest.raises(netspec.SpecError) as caught:
        netspec.parse('import "nets.net"\n')
    assert codes(caught) == ["no-net"]


def test_values_hide_imported_files():
    text = 'import "blocks.net" as b\nnet n { input b [4]; b.unit; expect b.channels == 4 }'
    with pytest.raises(netspec.SpecError, match=r"a value has no `\.unit`"):
        netspec.parse(text)


def test_one_name_from_two_files():
    write("more.net", "block unit { relu }\nblock other { relu }")
    with pytest.raises(netspec.SpecError) as caught:
        netspec.parse('import "blocks.net"\nimport "more.net"\nnet n { input x [4]; unit }', name="text")
    (found,) = caught.value.diagnostics
    assert (found.code, found.primary.span.text) == ("duplicate-name", '"more.net"')
    assert [(label.span.text, label.text) for label in found.others] == [('"blocks.net"', "`unit` is imported here")]
    both = 'import "blocks.net"\nimport "more.net" as m\nfrom "more.net" import unit as u\n'
    assert netspec.parse(both + "net n { input x [4]; unit -> m.unit -> u -> m.other }").name == "n"


def test_defaults_and_constants_belong_to_their_file():
    write("units.net", "const n = 3\nconst twice = 2 * n\nblock unit(a=n, b=twice, c=a + b) { dense(c) }")
    net = netspec.parse(
        'from "units.net" import unit, twice as t\nconst n = 100\nnet m { input x [n]; unit; dense(t) }'
    )
    assert [row.output_shape for row in net.report().layers] == [(9,), (6,)]


# --- the command line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("check",), ("build", "--to", "torch"), ("draw",)])
def test_every_command_takes_include(words, capsys):
    file = write("main.net", MAIN.format("../beside/blocks.net"))
    assert main([*words, file]) == 1
    assert "import-outside" in capsys.readouterr().err
    assert main([*words, file, "--include", "lib", "--include", "../beside"]) == 0
    assert main([*words, file, "--include", "nowhere"]) == 2
    assert "--include nowhere: there is no such folder" in capsys.readouterr().err


def test_places_in_other_files(capsys):
    write("lib/wrong.net", "block wide {\n  conv(4, 9x9)\n}\n")
    file = write("main.net", 'import "lib/wrong.net"\nnet n { input x [8, 8, 1]; wide }')
    assert main(["check", file, "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["file"] == "main.net"
    assert [(d["file"], d["line"], d["column"]) for d in found["diagnostics"]] == [("lib/wrong.net", 2, 11)]
    assert found["diagnostics"][0]["related"][0]["file"] == "main.net"
    assert main(["check", file, "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith("::error file=lib/wrong.net,line=2,")


def test_layers_of_other_files_say_so(capsys):
    file = write("main.net", MAIN.format("lib/blocks.net") + "net two { input x [4]; unit; dense(2) }")
    assert main(["check", file, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["layers"]
    assert [(layer["line"], layer.get("file")) for layer in found] == [(2, "lib/blocks.net")] * 2 + [(3, None)]


def test_the_library_is_in_the_wheel():
    from hatchling.builders.wheel import WheelBuilder

    root = Path(netspec.__file__).parents[1]
    shipped = {file.distribution_path for file in WheelBuilder(str(root)).recurse_included_files()}
    assert {f"netspec/std/{name}" for name in imports.library()} <= shipped
