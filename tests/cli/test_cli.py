"""The command line: forms of output, exit statuses, and that nothing typed ends in a traceback."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import netspec
from netspec.cli import COMMANDS, main
from netspec.files import LARGEST

TINY = """\
# A small one
net tiny(classes=10) {
  input image [28, 28, 1]
  conv(8, 5x5, activation=relu)
  maxpool(2x2)
  flatten -> dense(classes)
  expect output == [10]
}
"""
BLOCKS = """\
block stage(n, filters) {
  repeat n { conv(filters, 3x3, padding=same) -> batchnorm }
  maxpool(2x2)
}

net first { input x [4]; dense(3) }

net blocks {
  input image [H, 32, 3]
  stage(2, 16)
  stage(1, 32)
  layer enc = dense(5)
  global_avgpool -> enc as a
  a -> dense(32, frozen=true) as wide -> enc
}
"""
WRONG = """\
net wrong {
  input image [28, 28, 1]
  conv(8, 5x5) as before
  dense(10)
  flatten
}
"""


@pytest.fixture(autouse=True)
def in_tmp(tmp_path, monkeypatch):
    """Each test runs in a folder of its own that holds the specs above."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, text in (("tiny", TINY), ("blocks", BLOCKS), ("wrong", WRONG)):
        Path(f"{name}.net").write_text(text)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Runs a command line in this process: status, standard output, standard error."""

    def command(*words):
        status = main([str(w) for w in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return status, out, err

    return command


def process(*words, **options):
    """Runs a command line in a process of its own."""
    root = str(Path(netspec.__file__).parents[1])
    env = {**os.environ, "PYTHONPATH": root, **options.pop("env", {})}
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60, "env": env, **options}
    return subprocess.run([sys.executable, "-m", "netspec", *words], **given)


# --- check: folders --------------------------------------------------------------------------------------


def test_a_folder_stands_for_the_specs_in_it(run):
    Path("parts/deep").mkdir(parents=True)
    Path("parts/blocks.net").write_text("block unit(n) { dense(n) }\nconst width = 3\n")
    Path("parts/deep/a.net").write_text("net a { input x [4]; dense(2) }\n")
    Path("parts/.hidden.net").write_text("net {")
    note = f"netspec: {Path('parts/blocks.net')} has no net: it is there for others\n"
    status, out, err = run("check", "parts")
    assert (status, err) == (0, note)
    assert out.startswith(f"a  {Path('parts/deep/a.net')}\n")
    assert run("check", "parts", "-q") == (0, "", "")
    assert [net["net"] for net in json.loads(run("check", "parts", "--format", "json")[1])] == ["a"]
    Path("parts/deep/a.net").unlink()
    assert run("check", "parts", "--format", "json") == (0, "[]\n", note)
    Path("parts/deep/b.net").write_text("block unit(n) { dense(m) }\nnet b { input x [4]; unit(2) }\n")
    assert run("check", "parts")[0] == 1
    Path("parts/deep/b.net").write_text("block unit(n {")
    assert "error[syntax]" in run("check", "parts")[2]
    Path("parts/deep/b.net").unlink()
    assert run("check", "parts", "parts/blocks.net")[0] == 1
    Path("empty").mkdir()
    assert run("check", "empty")[:2] == (2, "")


def test_a_file_of_blocks_by_itself_says_what_it_holds(run):
    names = "".join(f"block b{k} {{ relu }}\n" for k in range(7))
    Path("blocks.net").write_text(names)
    status, out, err = run("check", "blocks.net")
    assert (status, out) == (1, "")
    assert "this text has no net, but block b0, block b1, block b2, block b3, block b4 and 2 more" in err
    assert "`net name { input x [28, 28, 1]; b0 }`, here or in a file that imports this one" in err


# --- check: the table -----------------------------------------------------------------------------------


def test_the_table(run):
    status, out, err = run("check", "tiny.net")
    assert (status, err) == (0, "")
    assert (
        out
        == """\
tiny  tiny.net
A small one
layer    kind     output       parameters     MACs
──────────────────────────────────────────────────
image    input    [28, 28, 1]
conv     conv     [24, 24, 8]         208  115,200
maxpool  maxpool  [12, 12, 8]           0        0
flatten  flatten  [1152]                0        0
dense    dense    [10]             11,530   11,520
──────────────────────────────────────────────────
parameters    11,738  47.0 kB as float32
MACs         126,720
other ops      9,216
activations    5,770  23.1 kB as float32
✓ output == [10]
"""
    )


def test_blocks_are_a_tree(run):
    _, out, _ = run("check", "blocks.net")
    names = [re.split("  +", line)[0] for line in out.split("\n")[3:18]]
    inside = ["├─ conv1", "├─ batchnorm1", "├─ conv2", "├─ batchnorm2", "└─ maxpool"]
    again = ["├─ conv1", "├─ batchnorm1", "└─ maxpool"]
    assert names == ["image", "stage1", *inside, "stage2", *again, "global_avgpool", "enc", "wide", "enc"]


def test_a_shared_layer_counts_once(run):
    _, out, _ = run("check", "blocks.net", "--columns", "name,params,weights")
    assert re.findall(r"^enc +(.*)$", out, re.M) == ["165      160", "shared"]


def test_statistics_and_frozen_parameters_have_lines_of_their_own(run):
    _, out, _ = run("check", "blocks.net")
    assert re.search(r"^statistics +128  running means", out, re.M)
    assert re.search(r"^  frozen +192$", out, re.M)
    assert "frozen" not in run("check", "tiny.net")[1]


def test_depth_closes_blocks(run):
    _, closed, _ = run("check", "blocks.net", "--depth", 0, "--columns", "name,params")
    _, opened, _ = run("check", "blocks.net", "--depth", 1, "--columns", "name,params")
    assert "├─" not in closed
    assert "├─" in opened
    assert re.search(r"^stage1 +2,832$", closed, re.M)


def test_columns(run):
    _, out, _ = run("check", "tiny.net", "--columns", "path, activations,sees,line")
    assert out.split("\n")[2].split() == ["path", "activations", "sees", "line"]
    assert re.search(r"^conv +4,608 +\[5, 5\] +4$", out, re.M)


def test_batch_and_dtype_change_activations_and_bytes_only(run):
    _, out, _ = run("check", "tiny.net", "--batch", 10, "--dtype", "float16")
    assert "57,700  115.4 kB as float16 at batch 10" in out
    assert "126,720" in out
    assert "23.5 kB as float16" in out


def test_the_count_of_a_framework(run):
    _, keras, _ = run("check", "blocks.net", "--target", "keras")
    _, torch, _ = run("check", "blocks.net", "--target", "torch")
    params = int(re.search(r"^parameters +([\d,]+)", keras, re.M)[1].replace(",", ""))
    assert re.search(rf"^Keras counts +{params + 128:,}  its total takes the statistics in", keras, re.M)
    assert re.search(rf"^PyTorch counts +{params:,}  as here", torch, re.M)


def test_symbolic_sizes_stay_symbols(run):
    _, out, _ = run("check", "blocks.net")
    assert "[H, 32, 16]" in out
    assert "[floor(H/2), 16, 16]" in out


def test_a_wrong_spec_is_shown_up_to_the_fault(run):
    status, out, err = run("check", "wrong.net")
    assert status == 1
    assert re.search(r"^before +conv +\[24, 24, 8\]", out, re.M)
    assert "up to the fault" in out
    assert "flatten" not in out
    assert err.startswith("error[wrong-rank]: ")
    assert " --> wrong.net:4:3\n" in err
    assert err.count("error[") == 1


def test_a_failed_expectation(run):
    status, out, err = run("check", "tiny.net", "--set", "classes=7")
    assert status == 1
    assert "✗ output == [10]: it is [7]" in out
    assert "error[expectation-failed]" in err


def test_several_files_and_the_worst_status(run):
    status, out, err = run("check", "tiny.net", "wrong.net", "nowhere.net", "blocks.net")
    assert status == 2
    assert [line.split()[0] for line in out.split("\n") if line.endswith(".net")] == ["tiny", "wrong", "blocks"]
    assert "nowhere.net" in err
    assert run("check", "tiny.net", "wrong.net")[0] == 1
    assert run("check", "tiny.net", "--depth", "0", "blocks.net")[0] == 0


def test_quiet_says_only_what_is_wrong(run):
    assert run("check", "-q", "tiny.net") == (0, "", "")
    status, out, err = run("check", "wrong.net", "-q")
    assert (status, out) == (1, "")
    assert "wrong-rank" in err


def test_a_net_by_name(run):
    assert run("check", "blocks.net", "--net", "first")[1].startswith("first  ")
    status, out, err = run("check", "blocks.net", "--net", "frist")
    assert (status, out) == (2, "")
    assert "did you mean `first`?" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["classes"], "NAME=VALUE"),
        (["=3"], "NAME=VALUE"),
        (["classes="], "write a value behind `=`; an empty string is written `'\"\"'`"),
        (["classes=1,024"], "`1,024` is not a value of the language; write `1024`"),
        (["classes=1 024"], "write `1024`"),
        (["classes=1'024'000"], "write `1024000`"),
        (["classes=1,02"], "write `1.02` or `[1, 02]`"),
        (["classes=0,5"], "write `0.5` or `[0, 5]`"),
        (["classes=.5"], "write `0.5`"),
        (["classes=50%"], "write `0.5`"),
        (["classes=3 x 3"], "write `3x3`"),
        (["classes=3\u00d74\u00d75"], "write `3x4x5`"),
        (["classes=1, 2,3"], "write `[1, 2, 3]`"),
        (["classes='relu'"], "write `relu`"),
        (["classes=a b"], "a string is written `'\"a b\"'`"),
        (["classes=10px"], "write a number, a word, a string or a list"),
        (["classes=1/0"], "write a number, a word, a string or a list"),
        (["classes=3; net x {}"], "not a value"),
        (["clases=3"], "did you mean `classes`?"),
        (["classes=relu"], "is a number"),
    ],
)
def test_settings_that_do_not_fit(run, words, told):
    status, out, err = run("check", "tiny.net", "--set", *words)
    assert (status, out) == (2, "")
    assert told in err


def test_a_setting_with_an_exponent_is_no_whole_number(run):
    status, _, err = run("check", "tiny.net", "--set", "classes=1e3")
    assert status == 1
    assert "the float 1000.0" in err
    assert "= help: write 1000\n" in err


def test_a_setting_as_python_writes_it(run, tmp_path):
    (tmp_path / "flag.net").write_text("net a(wide=true) { input x [4]; dense(8 if wide else 4) }")
    status, _, err = run("check", tmp_path / "flag.net", "--set", "wide=False")
    assert status == 2
    assert "`wide` is true or false (by default true), not `False`; write `wide=false`" in err


def test_settings_bind_symbols(run):
    assert "[32, 32, 16]" in run("check", "blocks.net", "--set", "H=32")[1]
    assert run("check", "blocks.net", "--set", "H=0")[0] == 2


# --- check: other forms ---------------------------------------------------------------------------------


def test_json(run):
    status, out, _ = run("check", "tiny.net", "--format", "json")
    found = json.loads(out)
    assert status == 0
    assert found["schema"] == 1
    assert (found["file"], found["net"], found["ok"]) == ("tiny.net", "tiny", True)
    assert found["inputs"] == [{"name": "image", "shape": [28, 28, 1], "dtype": "float32"}]
    assert found["outputs"] == [{"name": "output", "shape": [10], "dtype": "float32"}]
    assert [row["path"] for row in found["layers"]] == ["conv", "maxpool", "flatten", "dense"]
    assert found["layers"][0] == {
        "name": "conv",
        "path": "conv",
        "type": "conv",
        "line": 4,
        "output_shape": [24, 24, 8],
        "params": 208,
        "weights": 200,
        "biases": 8,
        "trainable": 208,
        "statistics": 0,
        "macs": 115_200,
        "other_ops": 4_608,
        "activations": 4_608,
        "receptive_field": [5, 5],
    }
    assert found["totals"] == {
        "params": 11_738,
        "trainable": 11_738,
        "non_trainable": 0,
        "statistics": 0,
        "macs": 126_720,
        "other_ops": 9_216,
        "activations": 5_770,
        "sequential_depth": 0,
        "param_bytes": 46_952,
        "activation_bytes": 23_080,
    }
    assert found["expectations"] == [{"text": "output == [10]", "ok": True, "actual": [10], "line": 7}]
    assert found["diagnostics"] == []


def test_json_of_symbolic_sizes(run):
    found = json.loads(run("check", "blocks.net", "--format", "json")[1])
    rows = {row["path"]: row for row in found["layers"]}
    assert found["inputs"][0]["shape"] == ["H", 32, 3]
    assert rows["stage1.maxpool"]["output_shape"] == ["floor(H/2)", 16, 16]
    assert rows["stage1.conv1"]["macs"] == "13824*H"
    assert rows["stage1.conv1"]["params"] == 448
    assert found["totals"]["params"] == sum(row["params"] for row in found["layers"])
    assert found["totals"]["trainable"] + found["totals"]["non_trainable"] == found["totals"]["params"]
    assert found["totals"]["non_trainable"] == 5 * 32 + 32


def test_json_of_a_wrong_spec(run):
    status, out, _ = run("check", "wrong.net", "--format", "json")
    found = json.loads(out)
    assert status == 1
    assert found["ok"] is False
    assert [row["path"] for row in found["layers"]] == ["before"]
    (diagnostic,) = found["diagnostics"]
    place = {"file": "wrong.net", "line": 4, "column": 3, "end_line": 4, "end_column": 12}
    assert place.items() <= diagnostic.items()
    assert (diagnostic["code"], diagnostic["severity"]) == ("wrong-rank", "error")
    assert diagnostic["message"]
    assert diagnostic["hint"]


def test_json_of_a_text_without_a_net(run):
    Path("empty.net").write_text("")
    status, out, _ = run("check", "empty.net", "--format", "json")
    found = json.loads(out)
    assert status == 1
    assert (found["net"], found["ok"], found["layers"]) == (None, False, [])
    assert [d["code"] for d in found["diagnostics"]] == ["no-net"]


def test_json_of_several_files_is_a_list(run):
    status, out, _ = run("check", "tiny.net", "nowhere.net", "wrong.net", "--format", "json")
    assert status == 2
    assert [(d["file"], d["ok"]) for d in json.loads(out)] == [("tiny.net", True), ("wrong.net", False)]


def test_csv(run):
    rows = list(csv.DictReader(io.StringIO(run("check", "tiny.net", "--format", "csv")[1])))
    assert [row["path"] for row in rows] == ["conv", "maxpool", "flatten", "dense"]
    assert rows[0]["output_shape"] == "[24, 24, 8]"
    assert sum(int(row["params"]) for row in rows) == 11_738


def test_csv_of_several_files_names_them(run):
    rows = list(csv.DictReader(io.StringIO(run("check", "tiny.net", "blocks.net", "--format", "csv")[1])))
    assert {(row["file"], row["net"]) for row in rows} == {("tiny.net", "tiny"), ("blocks.net", "blocks")}


def test_csv_adds_up_at_any_depth(run):
    for depth in ([], ["--depth", "0"], ["--depth", "1"]):
        words = ["check", "blocks.net", "--set", "H=32", "--format", "csv", "--columns", "path,macs", *depth]
        rows = list(csv.DictReader(io.StringIO(run(*words)[1])))
        whole = json.loads(run("check", "blocks.net", "--set", "H=32", "--format", "json")[1])
        assert sum(int(row["macs"]) for row in rows) == whole["totals"]["macs"]


def test_markdown(run):
    _, out, _ = run("check", "tiny.net", "--format", "markdown", "--columns", "name,params")
    lines = out.split("\n")
    assert lines[:6] == ["### tiny", "", "A small one", "", "| layer | parameters |", "| --- | ---: |"]
    assert "| conv | 208 |" in lines
    assert "- [x] `output == [10]`" in lines


def test_github(run):
    status, out, _ = run("check", "wrong.net", "tiny.net", "--format", "github")
    assert status == 1
    assert re.fullmatch(
        r"::error file=wrong\.net,line=4,endLine=4,col=3,endColumn=12,title=error\[wrong-rank\]::dense .*%0Ahelp: .*\n",
        out,
    )


def test_sarif(run):
    Path("odd name.net").write_text(WRONG)
    status, out, _ = run("check", "odd name.net", "--format", "sarif")
    log = json.loads(out)
    assert status == 1
    assert log["version"] == "2.1.0"
    (result,) = log["runs"][0]["results"]
    assert log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "wrong-rank"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "odd%20name.net"
    assert place["region"] == {"startLine": 4, "startColumn": 3, "endLine": 4, "endColumn": 12}


def test_sarif_of_sound_specs_has_no_results(run):
    assert json.loads(run("check", "tiny.net", "--format", "sarif")[1])["runs"][0]["results"] == []


# --- what cannot be read --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"net t {}\0", "byte 9 is 0"),
        (b"# ok\nnet \xe9 {}", "not in UTF-8: byte 0xe9 on line 2"),
        ("net".encode("utf-16"), "UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0", "no text"),
        (b" " * (LARGEST + 1), "larger than 32 MiB"),
    ],
)
def test_files_that_are_no_specs(run, data, told):
    Path("odd.net").write_bytes(data)
    status, out, err = run("check", "odd.net")
    assert (status, out) == (2, "")
    assert told in err


def test_files_that_are_not_there(run):
    assert "no file nowhere.net" in run("check", "nowhere.net")[2]
    assert "did you mean tiny.net?" in run("check", "tinny.net")[2]
    for name in ("resnet50", "ResNet50.net", "nowhere/resnet50"):
        assert f"no file {name}; did you mean zoo:resnet50?" in run("check", name)[2]
    Path("resnet50.net").write_text(Path("tiny.net").read_text())
    assert "did you mean resnet50.net?" in run("check", "resnet50")[2]
    assert "is a folder" in run("draw", ".", "-o", "x.dot")[2]
    assert run("check", "")[0] == 2
    assert run("check", "a" * 5000)[0] == 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read(run):
    Path("tiny.net").chmod(0)
    status, _, err = run("check", "tiny.net")
    assert status == 2
    assert "permission denied" in err


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf" + TINY.encode(), TINY.replace("\n", "\r\n").encode()])
def test_a_byte_order_mark_and_other_line_ends_do_no_harm(run, data):
    Path("tiny.net").write_bytes(data)
    assert run("check", "tiny.net")[1] == process("check", "-", input=TINY.encode()).stdout.decode().replace(
        "<stdin>", "tiny.net"
    )


def test_standard_input():
    done = process("check", "-", "--format", "json", input=TINY.encode())
    assert done.returncode == 0
    assert json.loads(done.stdout)["file"] == "<stdin>"


def test_standard_input_once(run):
    assert run("check", "-", "-")[0] == 2


@pytest.mark.parametrize(("text", "codes"), [("", ["no-net"]), ("net", ["syntax"]), ("const a = 3", ["no-net"])])
def test_texts_without_a_net(run, text, codes):
    Path("odd.net").write_text(text)
    status, out, err = run("check", "odd.net")
    assert (status, out) == (1, "")
    assert re.findall(r"^error\[(.*?)\]", err, re.M) == codes


# --- misuse ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["chek", "tiny.net"], "did you mean `check`?"),
        (["plot", "tiny.net"], "here it is `draw`"),
        (["tiny.net"], "netspec check tiny.net"),
        (["-q", "check", "tiny.net"], "after the command"),
        (["check"], "FILE"),
        (["check", "tiny.net", "--fromat", "json"], "did you mean `--format`?"),
        (["check", "tiny.net", "--format", "xml"], "xml"),
        (["check", "tiny.net", "--depth", "-1"], "--depth"),
        (["check", "tiny.net", "--batch", "0"], "--batch"),
        (["check", "tiny.net", "--batch", "9" * 5000], "--batch"),
        (["check", "tiny.net", "--columns", "parms"], "did you mean `params`?"),
        (["check", "tiny.net", "--columns", ""], "no column"),
        (["check", "tiny.net", "--columns", "path", "--format", "json"], "--columns goes with"),
        (["build", "tiny.net"], "--to"),
        (["build", "tiny.net", "--to", "jax"], "jax"),
        (["build", "tiny.net", "--to", "torch", "--style", "functional"], "not for torch"),
        (["draw", "tiny.net", "-o", "tiny.docx"], ".svg"),
        (["draw", "tiny.net", "-o", "tiny"], "no suffix"),
        *(
            (["verify", "tiny.net", "--tolerance", x], "not a number above 0")
            for x in ("-1", "0", "nan", "inf", "1e-4x")
        ),
        (["explain", "wrong-rnk"], "did you mean `wrong-rank`?"),
        (["layers", "convv"], "did you mean `conv`?"),
        (["layers", "Conv2d"], "here it is `conv`"),
        (["layers", "rope"], "no rotary positions"),
        (["layers", "conv", "dense"], "no place for `dense`"),
    ],
)
def test_misuse(run, words, told):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert told in err


@pytest.mark.parametrize("command", COMMANDS)
def test_help(run, command):
    status, out, err = run(command, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: netspec {command}")


def test_help_of_all(run):
    assert run("--help")[:2] == (0, run()[1])
    assert all(command in run("--help")[1] for command in COMMANDS)
    assert run()[0] == 2
    assert run("--version")[1].startswith("netspec ")


def test_a_bug_is_owned_up_to(run, monkeypatch, capsys):
    monkeypatch.setattr("netspec.cli.check.report", lambda *_: 1 / 0)
    status, _, err = run("check", "tiny.net")
    assert status == 70
    assert "ZeroDivisionError" in err
    assert "report" in err
    monkeypatch.setenv("NETSPEC_DEBUG", "1")
    assert main(["check", "tiny.net"]) == 70
    assert "Traceback" in capsys.readouterr().err


# --- output ---------------------------------------------------------------------------------------------


def test_a_picture_that_is_too_large_is_refused(run, tmp_path):
    (tmp_path / "long.net").write_text("net long { input x [T, 14]; gru(32) }\n")
    status, out, err = run("draw", "long.net", "--unroll", "100000", "-o", "long.dot")
    assert (status, out) == (2, "")
    assert err.startswith("netspec: this picture has more than 10,000 boxes; unroll fewer steps")
    assert not (tmp_path / "long.dot").exists()


def test_draw_to_standard_output_and_to_a_file(run):
    status, out, err = run("draw", "tiny.net")
    assert (status, err) == (0, "")
    assert out.startswith('digraph "tiny" {')
    assert run("draw", "tiny.net", "-o", "tiny.dot") == (0, "", "netspec: wrote tiny.dot\n")
    assert Path("tiny.dot").read_text() == out
    assert run("draw", "tiny.net", "-q", "-o", "tiny.gv") == (0, "", "")


def test_nothing_is_written_of_a_wrong_spec(run):
    assert run("draw", "wrong.net", "-o", "wrong.dot")[:2] == (1, "")
    assert run("build", "wrong.net", "--to", "torch", "-o", "wrong.py")[:2] == (1, "")
    assert not Path("wrong.dot").exists()
    assert not Path("wrong.py").exists()


def test_no_folder_to_write_to(run):
    status, out, err = run("draw", "tiny.net", "-o", "nowhere/tiny.dot")
    assert (status, out) == (2, "")
    assert "no folder nowhere" in err


def test_a_folder_in_the_way(run):
    Path("tiny.dot").mkdir()
    assert "is a folder" in run("draw", "tiny.net", "-o", "tiny.dot")[2]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(run, tmp_path):
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked").chmod(0o500)
    assert run("draw", "tiny.net", "-o", "locked/tiny.dot")[0] == 2
    assert not list((tmp_path / "locked").iterdir())


def test_the_spec_is_never_overwritten(run):
    os.link("tiny.net", "same.dot")
    assert run("draw", "tiny.net", "-o", "same.dot")[0] == 2
    assert Path("tiny.net").read_text() == TINY


def test_a_failed_write_leaves_the_old_file(run, monkeypatch, tmp_path):
    Path("tiny.dot").write_text("old")
    before = sorted(tmp_path.iterdir())

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    status, _, err = run("draw", "tiny.net", "-o", "tiny.dot")
    assert status == 2
    assert "no space left" in err
    assert Path("tiny.dot").read_text() == "old"
    assert sorted(tmp_path.iterdir()) == before


def test_an_interrupted_write_leaves_nothing(run, monkeypatch, tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr("os.replace", interrupt)
    assert run("draw", "tiny.net", "-o", "tiny.dot")[0] == 130
    assert sorted(tmp_path.iterdir()) == before


def test_a_link_is_followed_and_rights_are_kept(run):
    Path("target.dot").write_text("old")
    Path("target.dot").chmod(0o640)
    os.symlink("target.dot", "link.dot")
    assert run("draw", "tiny.net", "-o", "link.dot")[0] == 0
    assert Path("link.dot").is_symlink()
    assert Path("target.dot").read_text().startswith("digraph")
    assert Path("target.dot").stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_to_and_not_replaced(run):
    os.mkfifo("pipe.dot")
    reader = os.open("pipe.dot", os.O_RDONLY | os.O_NONBLOCK)
    assert run("draw", "tiny.net", "-o", "pipe.dot")[0] == 0
    assert os.read(reader, 7) == b"digraph"
    os.close(reader)
    assert Path("pipe.dot").is_fifo()


# --- terminals ------------------------------------------------------------------------------------------


def test_colour(run, monkeypatch):
    assert "\x1b" not in "".join(map(str, run("check", "wrong.net")))
    _, out, err = run("check", "wrong.net", "--color", "always")
    assert "\x1b[1m" in out
    assert "\x1b[1;31merror" in err
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "\x1b" in run("check", "tiny.net")[1]
    assert "\x1b" not in run("check", "tiny.net", "--color", "never")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("check", "tiny.net")[1]


def test_plain_signs_where_the_terminal_has_no_others():
    done = process("check", "tiny.net", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert b"ok output == [10]" in done.stdout
    assert b"-----" in done.stdout
    done.stdout.decode("ascii")


def test_a_reader_that_goes_away():
    with subprocess.Popen(
        [sys.executable, "-m", "netspec", "check", *["blocks.net"] * 200],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(netspec.__file__).parents[1])},
    ) as child:
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 128 + signal.SIGPIPE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk():
    with open("/dev/full", "wb") as full:
        done = process("check", "tiny.net", stdout=full)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("netspec: the output cannot be written")


def test_closed_streams():
    shell = f"{sys.executable} -m netspec check %s"
    env = {**os.environ, "PYTHONPATH": str(Path(netspec.__file__).parents[1])}
    for words, status in (("tiny.net >&-", 0), ("wrong.net 2>&-", 1), ("wrong.net >&- 2>&-", 1), ("- <&-", 2)):
        assert subprocess.run(shell % words, shell=True, env=env, capture_output=True).returncode == status, words


# --- reference ------------------------------------------------------------------------------------------


def test_explain(run):
    status, out, _ = run("explain", "error[wrong-rank]:")
    assert status == 0
    assert out.startswith("wrong-rank: ")
    assert "Wrong:" in out
    assert "Right:" in out
    assert "wrong-rank" in run("explain")[1]


def test_every_layer_has_a_page(run):
    from netspec.layers import LAYERS

    listed = run("layers")[1]
    for kind, cls in LAYERS.items():
        status, out, _ = run("layers", kind)
        assert status == 0
        assert re.search(rf"^  {kind} ", listed, re.M)
        assert all(f"  {example.code}\n" in out for example in cls.examples)
        assert all(re.search(rf"^  {name} ", out, re.M) for name in cls.arguments)
        assert out.count("PyTorch  ") == out.count("Keras  ") == len(cls.examples)


def test_the_pages_that_are_kept_are_those_of_the_declarations():
    from netspec.cli.manual import pages
    from netspec.cli.pages import PAGES

    assert Path(PAGES).read_text(encoding="utf-8") == pages(), "run `python -m netspec.cli.manual`"


def test_a_layer_without_a_kept_page_has_one(run, monkeypatch, tmp_path):
    (tmp_path / "layers.md").write_text("# The layers\n")
    whole = run("layers", "conv")
    monkeypatch.setattr("netspec.cli.pages.PAGES", tmp_path / "layers.md")
    assert run("layers", "conv") == whole


# --- speed ----------------------------------------------------------------------------------------------


def test_a_check_loads_no_more_than_it_needs():
    code = "import sys; from netspec.cli import main; main(['check', 'blocks.net']); print(*sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(Path(netspec.__file__).parents[1])}
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, text=True).stdout.split()
    heavy = {"torch", "keras", "tensorflow", "numpy", "lark", "json", "csv", "pathlib", "typing", "dataclasses"}
    heavy |= {"logging", "inspect", "shutil", "importlib.metadata", "difflib", "textwrap", "unicodedata", "graphviz"}
    heavy |= {"argparse", "importlib"}
    assert "netspec.report.tables" in loaded
    assert not heavy & set(loaded)


def test_importing_the_package_loads_nothing():
    code = "import sys; before = set(sys.modules); import netspec; print(*sorted(set(sys.modules) - before))"
    env = {**os.environ, "PYTHONPATH": str(Path(netspec.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, text=True)
    assert set(done.stdout.split()) <= {"netspec", "__future__"}
