"""The model of a picture, before it is put into words: its boxes are paths of the report, what they weigh adds up to
the total, and every input of a step has its edge."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_draw import Picture, checked

from netspec import api
from netspec.base.dims import DimExpr
from netspec.diagram.build import Diagram, Opening
from netspec.diagram.dot import dot
from netspec.files import read_source, zoo_names

ROOT = Path(__file__).parents[2]
OPENINGS = [
    Opening(1000, unroll=2),
    Opening(0, unroll=3),
    Opening(1000),
    Opening(1000, once=True),
    Opening(2),
    Opening(1),
    Opening(0),
    Opening(1, once=True),
]

NETS = {
    "choice in a repeat": """
        net n(k=true) { input x [4]; repeat 2 { if k { dense(4, frozen=true) } }; dense(2) }""",
    "repeat in a repeat": "net n { input x [4]; repeat 2 { repeat 3 { dense(4) } }; dense(2) }",
    "three deep": "net n { input x [4]; repeat 2 { repeat 3 { dense(4); repeat 2 { dense(4) -> relu } } } }",
    "shared": """
        block enc { input x; dense(8, activation=relu) -> dense(4) }
        net n { input a [20]; input b [20]; layer e = enc; x = a -> e; y = b -> e; output d = x - y }""",
    "shared in a repeat": "net n { input x [4]; layer e = dense(4); repeat 3 { e -> relu }; e }",
    "shared opened and closed": """
        block enc { input x; dense(4) -> relu; dense(4) }
        net n { input x [4]; layer e = enc; e; { e; relu } as deeper; { { e; tanh } as c } as b }""",
    "shared in a repeated block": """
        block twice { input x; layer e = dense(4); x -> e -> relu -> e }
        net n { input x [4]; repeat 3 { twice } }""",
    "growing": """
        net n { input x [8, 8, 3]; repeat 4 { concat(identity, conv(2, 3x3, padding=same)) } }""",
    "growing blocks": """
        block unit { input x; concat(x, conv(2, 3x3, padding=same)) }
        net n { input x [8, 8, 3]; repeat 4 { unit } }""",
    "rates": """
        block unit(rate) { input x; add(x, dense(4) -> relu -> dropout(rate)) }
        net n { input x [4]; for i in 0..4 { unit(0.1 * i / 3) }; dense(2) }""",
    "named scopes": """
        block unit(n) { input x; x -> dense(n) as main -> relu }
        net n {
          input x [4]
          for n in [4, 8] as stage { for i in 0..3 { if i == 0 { dense(n) -> relu } else { unit(n) } } }
        }""",
    "a frozen net in a net": """
        net inner { input x [4]; repeat 2 { dense(4) -> relu } }
        net n { input x [4]; inner(frozen=true) -> dense(2) }""",
    "a cell": """
        cell c(units) { input x; state h [units]; next h = tanh(dense(x, units) + dense(h, units)); output next h }
        net n { input x [T, 4]; scan(c(4), return=sequence) -> lstm(4); dense(3) }""",
    "recurrent layers": """
        net n {
          input x [T, 4]
          input y [T, 4]
          layer e = lstm(4, return=sequence)
          a = x -> e
          y -> e
          repeat 2 { bidirectional(gru(2, return=sequence)) }
          stack(2, bidirectional(lstm(4, return=sequence))) -> concat(identity, a) -> lstm(3)
        }""",
    "weights of one's own": """
        block gate(n) { input x [c]; weight w [c, n]; softmax(x @ w) }
        net n { input x [4]; repeat 2 { gate(4) } }""",
}


def plain(id: str) -> str:
    """The path that an id is made of."""
    id = id.removeprefix("cluster:").partition("#")[0].removesuffix("\N{MULTIPLICATION SIGN}")
    return re.sub(r":(x|y|\d+\.\d+\.)\d*$", "", id)  # a step of a recurrence


def parts(group):
    for part in group.parts:
        yield part
        if hasattr(part, "parts"):
            yield from parts(part)


def holds(net, opening) -> None:
    """All that is promised of the picture of a net."""
    diagram = Diagram(net, opening, 100_000)
    paths = {row.path for row in net.rows}
    ports = ("input:", "output:", "state:")
    odd = [p.id for p in parts(diagram.root) if not p.id.startswith(ports) and plain(p.id) not in paths]
    assert odd == []
    assert len({p.id for p in parts(diagram.root)}) == len(list(parts(diagram.root)))
    weighed = sum((box.params for box in diagram.boxes), 0)
    assert weighed == net.totals.params
    assert {id(b) for b in diagram.boxes} == {id(p) for p in parts(diagram.root) if not hasattr(p, "parts")}


@pytest.mark.parametrize("opening", OPENINGS, ids=str)
@pytest.mark.parametrize("name", NETS)
def test_ids_are_paths_and_weights_add_up(name, opening):
    holds(checked(NETS[name]), opening)


def known(name):
    verdict = api.check(read_source(f"zoo:{name}"))
    assert verdict.checked is not None
    return verdict.checked


@pytest.mark.parametrize("name", NETS)
def test_every_input_of_a_step_has_its_edge(name):
    edges(checked(NETS[name]))


def edges(net) -> None:
    """As many arrows end at a box as the step that it begins with takes values; of a sequence only the length, none."""
    diagram = Diagram(net, Opening(1000), 100_000)
    steps = {row.path: row.node for row in net.rows if row.is_layer}
    into = {box.id: [e.source.id for e in diagram.edges if e.target is box] for box in diagram.boxes}
    for box in diagram.boxes:
        step = steps.get(plain(box.id))
        if step is not None:
            assert len(into[box.id]) == len(step.layer.flowing(step.inputs)), box.id
        else:
            assert len(into[box.id]) == (1 if box.style == "output" else 0), box.id


def test_ids_that_are_written_alike_stay_apart():
    shown = Picture('net n { input x [3]; dense(3, name="a\x1b"); dense(3, name="a\x9b"); dense(3, name="a\u2028") }')
    assert len(shown.nodes) == 5


SOME = ["resnet", "googlenet", "densenet", "mobilenet_v2", "transformer", "vae", "siamese", "seq2seq", "unet", "gan"]


@pytest.mark.parametrize("name", SOME)
def test_networks_of_the_zoo(name):
    net = known(name)
    edges(net)
    for opening in OPENINGS:
        holds(net, opening)


@pytest.mark.sweep
@pytest.mark.parametrize("name", sorted(set(zoo_names()) - set(SOME)))
def test_all_networks_of_the_zoo(name):
    net = known(name)
    edges(net)
    for opening in OPENINGS:
        holds(net, opening)


# --- what is said --------------------------------------------------------------------------------------------------


def test_a_choice_in_a_repeat_has_path_parameters_and_frozen_mark():
    shown = Picture(NETS["choice in a repeat"])
    assert shown.nodes == ["input:x", "dense1", "dense3", "output:output"]
    assert shown.label("dense1") == "dense 4 x2|frozen"
    assert shown.graph.get_node("dense1").attr["tooltip"] == "dense1, 4, 20 parameters each, frozen"


def test_a_repeat_in_a_repeat_is_a_counted_box_in_a_counted_frame():
    shown = Picture(NETS["repeat in a repeat"])
    assert shown.frames == ["x2"]
    assert shown.label("dense1") == "dense 4 x3"
    assert "dense2" not in shown.nodes


def test_a_choice_in_a_named_loop_has_the_path_of_the_report():
    shown = Picture(NETS["named scopes"], depth=1)
    assert shown.nodes == ["input:x", "stage1.0", "stage1.2", "stage2.0", "stage2.2", "output:output"]
    assert not any(".." in node for node in shown.nodes)


def test_shared_weights_are_told_from_copies():
    shown = Picture(NETS["shared"])
    assert shown.frames == ["e enc|shared, use 1 of 2", "e enc|shared, use 2 of 2"]
    assert Picture(NETS["shared"], depth=0).label("e") == "e enc|4, 204 params|shared, use 1 of 2"
    copies = Picture(NETS["shared"].replace("layer e = enc;", "").replace("-> e;", "-> enc;"))
    assert copies.frames == ["enc", "enc"]


def test_shared_weights_of_all_turns():
    shown = Picture(NETS["shared in a repeat"])
    assert shown.label("e") == "e|dense 4 x3|relu|shared, use 1 to 3 of 4"
    assert shown.label("e#2") == "e|dense 4|shared, use 4 of 4"
    assert shown.graph.get_node("e").attr["peripheries"] == "2"


def test_the_name_of_a_follower_stays_with_it():
    steps = "conv(4, 3x3) -> batchnorm as norm -> relu; conv(4, 1x1) as c -> relu"
    shown = Picture(f"net n {{ input x [8, 8, 3]; {steps} }}")
    assert shown.label("conv") == "conv 3x3, 4|norm batchnorm|relu"
    assert shown.label("c") == "c|conv 1x1, 4|relu"


OPERANDS = """
net n {
  input a [4]
  input b [4]
  output s = a - b, t = b - a, q = a / b, c = concat(b, a), m = a + b, p = a * b, x = maximum(a, b), o = outer(a, b)
}
"""


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_the_order_of_operands(direction):
    shown = Picture(OPERANDS, direction=direction)
    ports = {}
    for edge in shown.graph.edges():
        if edge[0] in ("input:a", "input:b"):
            ports.setdefault(edge[1], {})[edge[0][-1]] = edge.attr["headport"] or ""
    side = {"TB": "n", "LR": "w"}[direction]
    first, second = f"in 1:{side}", f"in 2:{side}"
    wanted = {"a": first, "b": second}
    assert ports["sub1"] == ports["div"] == ports["outer"] == wanted
    assert ports["sub2"] == ports["concat"] == {"a": second, "b": first}
    assert ports["add"] == ports["mul"] == ports["maximum"] == {"a": "", "b": ""}


def test_the_inputs_of_a_closed_block_have_their_names():
    text = """
    block mix { input prev; input cur; prev - cur }
    net n { input a [4]; input b [4]; mix(b, a) }
    """
    written = dot(checked(text), 0)
    assert '"input:b" -> "mix":"in prev":n' in written
    assert '"input:a" -> "mix":"in cur":n' in written


SEVERAL = """
block both { input x [n]; dense(3) as left; output left, right = x -> dense(3) }
net n {
  input x [6, 12]
  first, second, third = split(x, 3)
  said, h, c = first -> lstm(4, return=(sequence, state))
  parts = chunk(second, 2)
  a, b = c -> both
  output concat(said, third), parts[1], parts[0] + 1, h, sub(b, a)
}
"""


@pytest.mark.parametrize(("direction", "side"), [("TB", "s"), ("LR", "e")])
def test_an_edge_says_which_of_several_values_it_is(direction, side):
    """By the author's name, else by the word that the layer or block has for it, else by its number."""
    written = dot(checked(SEVERAL), 0, direction)
    names = {}
    for line in written.splitlines():
        box = line.strip().partition(" [")[0].strip('"')
        names |= {(box, port): name for port, name in re.findall(r'PORT="(out \d)"[^>]*><FONT[^>]*>([^<]*)<', line)}
    found = re.findall(r'"([\w.:]+)"(?::"(out \d)":(\w))? -> "([\w.:]+)"', written)
    said = {(source, target): names.get((source, port), "") for source, port, _, target in found}
    assert {at for _, _, at, _ in found} == {"", side}
    assert said["split", "lstm"] == "first"
    assert said["split", "chunk"] == "second"
    assert said["split", "concat"] == "third"
    assert said["lstm", "concat"] == "said"
    assert said["lstm", "output:h"] == "h"
    assert said["lstm", "both"] == "c"
    assert {name for (box, _), name in names.items() if box == "both"} == {"a", "b"}
    assert {name for (box, _), name in names.items() if box == "chunk"} == {"1", "2"}
    assert said["input:x", "split"] == ""


def test_the_parts_of_a_state_leave_the_last_step_apart():
    written = dot(
        checked("net n { input x [6, 4]; y, h, c = x -> lstm(5, return=(sequence, state)); output c, h }"), unroll=2
    )
    assert '"lstm:0.0.2":"out 2":s -> "output:h"' in written
    assert '"lstm:0.0.2":"out 3":s -> "output:c"' in written
    one = dot(checked("net n { input x [6, 4]; y, h = x -> gru(5, return=(sequence, state)); output y, h }"), unroll=2)
    assert '"out ' not in one


def test_one_value_taken_twice_has_no_order():
    assert "in 1" not in dot(checked("net n { input x [4]; concat(x, x) }"))


def test_blocks_that_differ_in_a_fraction_fold_with_its_range():
    shown = Picture(NETS["rates"])
    assert shown.frames == ["unit(0 to 0.1) x4"]
    assert shown.label("unit1.dense") == "dense 4|relu|dropout 0 to 0.1"
    down = Picture(NETS["rates"].replace("0.1 * i / 3", "0.3 - 0.1 * i"), depth=0)
    assert down.label("unit1").startswith("unit(0.3 to ")


def test_blocks_that_differ_in_a_whole_number_do_not_fold():
    text = NETS["rates"].replace("0.1 * i / 3", "i").replace("dropout(rate)", "dense(4) -> relu")
    assert Picture(text, depth=0).label("unit1") == "unit(0)|4, 40 params"


@pytest.mark.parametrize(
    ("value", "said"),
    [("1/3", "0.333"), ("0.1", "0.1"), ("0.015625", "0.0156"), ("1e-5", "1e-05"), ("12345.5", "1.23e+04")],
)
def test_numbers_are_short(value, said):
    text = (
        f"block b(v) {{ input x; dense(2) -> relu; x -> dense(4 if v > 0 else 2) }} net n {{ input x [4]; b({value}) }}"
    )
    assert Picture(text, depth=0).label("b").startswith(f"b({said})|")


def test_figures_say_each_or_in_all():
    same = Picture(NETS["rates"], depth=0)
    assert same.label("unit1") == "unit(0 to 0.1) x4|4, 20 params each"
    growing = Picture(NETS["growing blocks"], depth=0)
    total = checked(NETS["growing blocks"]).totals.params
    assert growing.label("unit1") == f"unit x4|8 x 8 x 11, {total} params in all"
    assert not isinstance(total, DimExpr)
