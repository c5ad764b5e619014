"""The specs that ship with the project, held against published and measured figures."""

from __future__ import annotations

import csv

import pytest
from checking import DATA, SPECS, check_spec

from netspec.ir.types import CheckedNet, CostRow, Step

NAMES = sorted(path.stem for path in SPECS.glob("*.net"))
FIGURES = list(csv.DictReader((DATA / "figures.csv").open(encoding="utf-8")))
VARIANTS = [(f["net"], f["settings"]) for f in FIGURES]
# parameters that are held still: a discriminator, a ResNet-50 without its head, the codes of ten characters
FROZEN = {"gan": 138_689, "transfer": 23_508_032, "lenet5_1998": 840}
FROZEN |= {"gan_keras": 74_625, "gan_tensorflow": 212_865, "gan_frogs": 790_913}
POOLS = ("maxpool", "avgpool", "global_avgpool")


def shown(shape: tuple[object, ...]) -> str:
    return "x".join(map(str, shape))


def test_every_spec_has_figures() -> None:
    assert set(NAMES) == {net for net, _ in VARIANTS}


@pytest.mark.parametrize(("name", "settings"), VARIANTS)
def test_is_clean(name: str, settings: str) -> None:
    net = check_spec(name, settings)
    assert net.diagnostics == ()
    assert net.outcomes
    assert all(outcome.ok for outcome in net.outcomes)


@pytest.mark.parametrize("name", NAMES)
def test_expects_its_parameters_and_output(name: str) -> None:
    texts = [outcome.text for outcome in check_spec(name).outcomes]
    assert any(text.startswith("params ==") for text in texts)
    assert any(text.startswith("output ==") for text in texts)


@pytest.mark.parametrize("name", NAMES)
def test_says_where_it_comes_from(name: str) -> None:
    text = (SPECS / f"{name}.net").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert check_spec(name).net.body.doc


@pytest.mark.parametrize("name", [n for n in NAMES if "classes=" in (SPECS / f"{n}.net").read_text(encoding="utf-8")])
def test_expectations_hold_for_other_numbers_of_classes(name: str) -> None:
    net = check_spec(name, "classes=7")
    assert net.diagnostics == ()
    assert net.net.body.outputs[0].value.shape[-1] == 7


@pytest.mark.parametrize("figures", FIGURES, ids=lambda f: f"{f['net']} {f['settings']}".strip())
def test_figures(figures: dict[str, str]) -> None:
    net = check_spec(figures["net"], figures["settings"])
    totals = net.totals
    assert (totals.params, totals.params - totals.trainable) == (int(figures["params"]), FROZEN.get(figures["net"], 0))
    assert totals.weights + totals.biases == totals.params
    assert totals.statistics == int(figures["statistics"])
    assert totals.macs == int(figures["macs"])
    assert "+".join(shown(r.value.shape) for r in net.net.body.outputs) == figures["output"]


# --- layer by layer --------------------------------------------------------------------------------------------------


def kind(row: CostRow) -> str:
    return "pool" if row.kind in POOLS else row.kind


def listed(net: CheckedNet) -> list[tuple[str, str, str, str, str]]:
    """Convolutions, dense layers, pools and batch norms, in order."""
    return [
        (
            kind(r),
            shown(r.output.shape),
            str(r.figures.params),
            str(r.figures.statistics),
            str(r.figures.macs),
        )
        for r in net.layers
        if kind(r) in ("conv", "dense", "pool", "batchnorm") and r.output is not None
    ]


def published(name: str) -> list[tuple[str, ...]]:
    with (DATA / f"layers_{name}.csv").open(encoding="utf-8") as file:
        return [tuple(line) for line in csv.reader(file)][1:]


@pytest.mark.parametrize(
    ("name", "settings", "table"),
    [
        ("vgg16", "", "vgg16"),
        ("lenet5", "", "lenet5"),
        ("alexnet", "", "alexnet_groups2"),
        ("alexnet", "groups=1", "alexnet_groups1"),
        ("googlenet", "", "googlenet"),
        ("resnet34", "", "resnet34"),
        ("resnet50", "", "resnet50_second"),
        ("resnet50", "stride_on=first", "resnet50_first"),
    ],
)
def test_layer_by_layer(name: str, settings: str, table: str) -> None:
    assert listed(check_spec(name, settings)) == published(table)


def test_googlenet_with_its_auxiliary_heads() -> None:
    # the heads stand at the end of the spec and halfway in the table
    assert sorted(listed(check_spec("googlenet", "aux=true"))) == sorted(published("googlenet_aux"))


def test_what_the_comment_on_vgg16_adds_up() -> None:
    net = check_spec("vgg16")
    sizes = dict.fromkeys((224, 112, 56, 28, 14), 0)
    for r in net.layers:
        if r.kind in ("conv", "maxpool"):
            side = r.node.inputs[0].shape[0] if isinstance(r.node, Step) else 0
            sizes[side] += r.output.size if r.output is not None else 0
    assert list(sizes.values()) == [7_225_344, 3_612_672, 2_609_152, 1_304_576, 326_144]
    assert sum(sizes.values()) + 9_192 == net.totals.activations == 15_087_080
    assert net.totals.activations + 224 * 224 * 3 == 15_237_608
    assert net.totals.weights == 138_344_128


# --- names and places of weights ----------------------------------------------------------------------------------


def torch_weights(net: CheckedNet) -> dict[str, str]:
    """Every array under its name in PyTorch, with its shape there."""
    found = {}
    for r in net.layers:
        if not isinstance(r.node, Step):
            continue
        for weight in r.node.weights:
            order = weight.torch.order or range(len(weight.shape))
            found[f"{r.path}.{weight.torch.name}"] = shown(tuple(weight.shape[i] for i in order))
    return found


def test_resnet50_has_the_usual_names_of_weights() -> None:
    lines = (DATA / "resnet50_state_dict.txt").read_text(encoding="utf-8").split("\n")
    usual = dict(line.split() for line in lines if line.strip() and "num_batches_tracked" not in line)
    assert list(torch_weights(check_spec("resnet50")).items()) == list(usual.items())


def test_densenet_has_the_usual_names_of_weights() -> None:
    names = torch_weights(check_spec("densenet121"))
    for name in (
        "features.conv0.weight",
        "features.norm0.running_mean",
        "features.denseblock1.denselayer1.norm1.weight",
        "features.denseblock4.denselayer16.conv2.weight",
        "features.transition3.conv.weight",
        "features.norm5.bias",
        "classifier.weight",
    ):
        assert name in names
    assert sum(n.endswith("weight") for n in names) == 121 * 2


def test_googlenet_has_named_modules() -> None:
    rows = {r.path: r for r in check_spec("googlenet").rows}
    sums = {"3a": 163_696, "3b": 388_736, "4a": 376_176, "4b": 449_160, "4c": 510_104, "4d": 605_376, "4e": 868_352}
    for name, params in {**sums, "5a": 1_043_456, "5b": 1_444_080}.items():
        assert rows[f"inception_{name}"].figures.params == params


# --- receptive fields ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "settings", "path", "field"),
    [
        ("lenet5", "", "c5", 32),
        ("alexnet", "", "pool5", 195),
        ("vgg16", "", "stage5.conv3", 196),
        ("vgg16", "", "stage5.maxpool", 212),
        ("resnet34", "", "layer4.2.relu2", 899),
        ("resnet50", "", "layer4.2.relu3", 427),
        ("resnet50", "stride_on=first", "layer4.2.relu3", 483),
        ("googlenet", "", "inception_5b.concat", 715),
    ],
)
def test_receptive_field(name: str, settings: str, path: str, field: int) -> None:
    rows = {r.path: r for r in check_spec(name, settings).rows}
    assert path in rows, sorted(rows)
    assert rows[path].field == (field, field)
