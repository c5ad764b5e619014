"""The zoo: published figures, `netspec zoo`, `zoo:NAME` and the page that shows them all."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.zoo import PICTURES, picture, small
from netspec import api, zoo
from netspec.cli import main
from netspec.files import ReadError, zoo_folder, zoo_names
from netspec.zoo import Entry, checked, counted, entries, fits, measured, published

PAGE = Path(__file__).parents[2] / "docs" / "zoo.md"
FIGURES = published()


@pytest.mark.parametrize("told", FIGURES, ids=lambda p: f"{p.net} {p.settings}".strip())
def test_published_figures_agree_or_the_spec_says_why(told):
    net = checked(told.net, told.settings)
    found = Entry(counted(told.net, told.settings), told)
    text = " ".join(line.lstrip("# ") for line in net.net.design.source.text.split("\n"))
    assert not net.diagnostics
    for written, counts in ((told.params, found.counts), (told.macs, (net.totals.macs,))):
        assert not written or fits(written, *counts) or written in text, (written, counts)


def test_the_figures_that_are_kept_are_those_of_the_nets():
    for found in entries():
        assert found.counted == counted(found.counted.file, found.settings), "run `python -m bench.zoo count`"


def test_a_list_of_the_zoo_elaborates_no_net(monkeypatch):
    monkeypatch.setattr(zoo, "checked", None)
    assert len(entries()) > 100


def test_figures_of_a_spec_that_has_changed_are_worked_out_anew(monkeypatch):
    kept = entries(["lenet5"])[0].counted
    old = kept.replace(params=1, key="00000000")
    monkeypatch.setattr(zoo, "_kept", lambda: {("lenet5", ""): old})
    assert entries(["lenet5"])[0].counted == kept
    monkeypatch.setattr(zoo, "_kept", lambda: {("lenet5", ""): kept.replace(params=1)})
    assert entries(["lenet5"])[0].counted.params == 1


def test_what_a_published_figure_fits():
    assert fits("86.7M", 86_718_797)
    assert fits("83.6M", 83_455_272, 83_658_152)
    assert fits("60,000", 60_000)
    assert not fits("60,000", 60_001)
    assert not fits("84.0M", 79_008_676)
    assert not fits("145.8M", 115_088_984)


def test_names_that_people_look_for():
    wanted = "lenet5 lenet5_1998 alexnet vgg16 googlenet resnet34 resnet50 resnet101 resnet152 inception_v3 xception"
    wanted += " inception_resnet_v2 resnext101_64x4d polynet dpn131 senet154 genet2 pnasnet5_large nasnet_a_large"
    wanted += " nasnet_a_mobile amoebanet_a_190 amoebanet_a_204 amoebanet_b amoebanet_c"
    assert set(wanted.split()) <= set(zoo_names())
    assert {told.net for told in FIGURES} <= set(zoo_names())


def test_the_zoo_is_there_from_anywhere(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["check", "zoo:resnet50", "zoo:nasnet_a_mobile", "-q"]) == 0
    assert api.load("zoo:lenet5").report().totals.params == 61_706
    assert main(["zoo", "amoebanet_b"]) == 0
    assert "83,960,973" in capsys.readouterr().out
    with pytest.raises(ReadError, match="did you mean zoo:resnet50"):
        api.load("zoo:resnet5O")


def test_the_table_of_the_zoo_has_what_was_published(capsys):
    """A column stays empty where nothing was published, and only there."""
    assert main(["zoo", "lenet5", "resnet50"]) == 0
    _, lenet, *resnets = capsys.readouterr().out.splitlines()
    assert lenet.split()[:4] == ["lenet5", "61,706", "416,520", "LeNet-5"]
    assert resnets[0].split()[:6] == ["resnet50", "25,557,032", "25.6M", "4,089,184,256", "4.09B", "ResNet-50"]


def test_an_output_beside_a_spec_of_the_zoo(tmp_path):
    out = tmp_path / "x.py"
    out.write_text("old")
    assert main(["build", "zoo:mlp", "--to", "torch", "-o", str(out), "-q"]) == 0
    assert "class MLP" in out.read_text()


def test_the_page_is_fresh(request):
    done = subprocess.run(
        [sys.executable, "-m", "netspec", "zoo", "--format", "markdown"],
        capture_output=True,
        check=True,
        cwd=PAGE.parent,
    )
    if request.config.getoption("--update-golden"):
        PAGE.write_bytes(done.stdout)
    assert PAGE.read_bytes() == done.stdout, "run `netspec zoo --format markdown -o docs/zoo.md`"


def test_the_folder_of_an_installed_package_comes_first(tmp_path, monkeypatch):
    package = tmp_path / "netspec"
    (package / "specs").mkdir(parents=True)
    monkeypatch.setattr("netspec.files.PACKAGE", str(package))
    assert zoo_folder() == str(package / "specs")


def test_no_count_is_taken_for_emphasis():
    table = [line for line in PAGE.read_text(encoding="utf-8").split("\n") if line.startswith("|")]
    assert any("**" in line for line in table)
    assert not [line for line in table if "*" in re.sub(r"`[^`]*`", "", line)]


def written_in(text):
    """The words of all labels of a DOT text."""
    found = re.findall(r'label=(?:<(.*?)>(?=[,\]]|\s*[;\n])|"(.*?)")', text, re.DOTALL)
    return set(unescape(" ".join(re.sub(r"<[^>]*>", " ", one or other) for one, other in found)).split())


@pytest.mark.parametrize("name", zoo_names())
def test_each_has_its_small_picture(name):
    root = ElementTree.fromstring((PICTURES / f"{name}.svg").read_text(encoding="utf-8"))
    texts = ("".join(node.itertext()) for node in root.iter() if node.tag.endswith("text"))
    assert set(" ".join(texts).split()) == written_in(picture(name)), f"run `python -m bench.zoo draw {name}`"


def test_pictures_are_few_and_small():
    pictures = list(PICTURES.iterdir())
    assert {path.stem for path in pictures} == set(zoo_names())
    assert sum(path.stat().st_size for path in pictures) < 1_500_000


def test_what_was_measured_is_of_nets_that_there_are():
    found = measured()
    assert found.keys() <= set(zoo_names())
    assert list(found) == sorted(found)
    assert all(float(row.outputs) < 1e-4 and float(row.layers) < 1e-2 for row in found.values())
    assert all(row.seconds.isdigit() for row in found.values())
    assert all(not row.gradients or float(row.gradients) < 1e-6 for row in found.values())


def test_a_small_picture_loses_nothing_that_is_seen():
    svg = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "x"
 "y">
<!-- Generated -->
<svg width="10.123pt" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
<g id="graph0" class="graph" transform="translate(1.25 2)">
<title>t</title>
<g id="node1" class="node">
<title>n</title>
<g id="a_node1"><a xlink:title="n, 3">
<text xml:space="preserve" text-anchor="start" x="1.234" font-family="F">3.15k &lt; 4</text>
</a>
</g>
</g>
</g>
</svg>
"""
    assert small(svg).split("\n", 1)[1] == (
        '<g font-family="F" transform="translate(1.2 2)">\n<text x="1.2">3.15k &lt; 4</text>\n</g>\n</svg>\n'
    )
