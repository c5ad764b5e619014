"""What is said to those who come from elsewhere: words of the field, and names that are near."""

from __future__ import annotations

import re

import pytest
from checking import check, codes

import netspec
from netspec.base.diagnostics import distance, nearest
from netspec.consteval import FUNCTIONS
from netspec.layers import LAYERS
from netspec.layers.foreign import help_for
from netspec.layers.vocabulary import ADVICE, ARGUMENTS, ATTRIBUTES, LAYERS_ELSEWHERE, NEEDLESS, WITH_ENDING, WORDS

# --- the tables ----------------------------------------------------------------------------------------------------


def test_the_tables_lead_to_what_there_is():
    """Every layer, argument and word that is recommended exists, and no entry is for a name that means something."""
    arguments = {name for cls in LAYERS.values() for name in cls.arguments}
    words = {word for cls in LAYERS.values() for a in cls.arguments.values() for word in a.reader.words}
    assert {*LAYERS_ELSEWHERE.values(), *WITH_ENDING.values()} <= LAYERS.keys()
    assert {name for names in ARGUMENTS.values() for name in names} <= arguments
    assert set(WORDS.values()) <= words
    own = {name.replace("_", "") for name in (*LAYERS, *FUNCTIONS)}
    assert not ADVICE.keys() & LAYERS_ELSEWHERE.keys()
    assert not ADVICE.keys() & own
    assert LAYERS_ELSEWHERE.keys() & own == {"linear"}  # a layer of PyTorch, and here an activation


@pytest.mark.parametrize("table", [ADVICE, ARGUMENTS, LAYERS_ELSEWHERE, NEEDLESS, WITH_ENDING, WORDS])
def test_keys_are_written_plainly(table):
    assert not [key for key in table if key != key.lower().replace("_", "")]


def test_attributes_are_asked_in_a_form_that_works():
    for asked in ATTRIBUTES.values():
        assert check(f"net n {{ input x [6, 5, 4]; n = x.{asked}; dense(3) -> relu }}").diagnostics[0].code != "syntax"


TOLD = (*ADVICE.values(), *NEEDLESS.values())
SNIPPETS = sorted({code for told in TOLD for code in re.findall(r"`([^`]+)`", told)})
IMPORTS = [code for code in SNIPPETS if code.startswith("from ")]
# what is spoken of, and is no statement that could stand alone: words, arguments, forms with a gap in them
SPOKEN_OF = re.compile(r"->|[\w/. ]+|(\w+=[^()]+|return=.*|from .*|input .*|output .*|weight .*|.*\.\.\..*)")
SHAPES = ("[8]", "[6, 8]", "[16, 16, 8]", "[16, 16, 256]")


def _compiles(snippet, shape, kind=""):
    text = f"""
net try {{
  input x {shape} {kind}
  input tokens [6] int(8)
  n = 8
  weight gamma [8]
  weight table [8, 4]
  a, b, memory = x, x, x
  x -> {{
    {snippet}
  }}
}}
"""
    return codes(check("\n".join(IMPORTS) + text)) == []


@pytest.mark.parametrize("snippet", [s for s in SNIPPETS if not SPOKEN_OF.fullmatch(s) and "r, " not in s])
def test_what_is_recommended_compiles(snippet):
    assert any(_compiles(snippet, shape) for shape in SHAPES) or _compiles(snippet, "[6]", "int(1000)")


def test_recommended_blocks_are_in_the_library():
    for name in ("encoder_layer", "bottleneck", "squeeze_excite", "inverted_residual"):
        (found,) = check(f"net n {{ input x [8, 8]; {name}(4) }}").diagnostics
        assert found.help.startswith("it is in the library: `from ")
        assert codes(check(f"{found.help.split('`')[1]}\nnet n {{ input x [8]; relu }}")) == []
    for code in IMPORTS:
        assert codes(check(f"{code}\nnet n {{ input x [8]; relu }}")) == []


# --- the order of channels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "shape", "sizes"), [
    ("pixel_shuffle", (3, 4, 20), {"h": 3, "w": 4, "c": 5, "r": 2}),
    ("pixel_shuffle", (2, 5, 18), {"h": 2, "w": 5, "c": 2, "r": 3}),
    ("pixel_unshuffle", (6, 8, 5), {"h": 3, "w": 4, "c": 5, "r": 2}),
    ("pixel_unshuffle", (6, 15, 2), {"h": 2, "w": 5, "c": 2, "r": 3}),
])  # fmt: skip
def test_the_reshape_for_a_pixel_shuffle_is_that_of_pytorch(name, shape, sizes):
    numpy, torch = pytest.importorskip("numpy"), pytest.importorskip("torch")
    code = next(c for c in re.findall(r"`([^`]+)`", help_for(name)) if "->" in c)
    bound = "; ".join(f"{n} = {v}" for n, v in sizes.items())
    net = netspec.parse(f"net n {{ input x {list(shape)}; {bound}; {code} }}")
    x = numpy.random.default_rng(1).normal(size=(2, *shape))
    ours = net.reference({})(x=x)
    cls = torch.nn.PixelShuffle if name == "pixel_shuffle" else torch.nn.PixelUnshuffle
    theirs = cls(sizes["r"])(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    assert ours.shape == theirs.shape
    assert numpy.array_equal(ours, theirs)
    swapped = netspec.parse(f"net n {{ input x {list(shape)}; {layer_of(name)}({sizes['r']}) }}").reference({})(x=x)
    assert not numpy.array_equal(swapped, theirs)


def layer_of(name):
    return "depth_to_space" if name == "pixel_shuffle" else "space_to_depth"


# --- names that are near -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "meant"), [
    ("flaten", "flatten"), ("tahn", "tanh"), ("relo", "relu"), ("cov", "conv"), ("drpout", "dropout"),
    ("bacthnorm", "batchnorm"), ("multiheadatention", "multihead_attention"), ("MaxPool", "maxpool"), ("emd", None),
    ("rope", None), ("gather", None), ("sequential", None), ("resize", None), ("prod", None), ("atan", None),
    ("kv_heads", None), ("topk", None),
])  # fmt: skip
def test_spelling(word, meant):
    assert nearest(word, [*LAYERS, *FUNCTIONS, "heads"]) == meant


@pytest.mark.parametrize(("word", "names", "meant"), [
    ("img", ("x", "image"), "image"), ("feat", ("features",), "features"), ("hh", ("h",), "h"), ("y", ("x",), None),
    ("x1", ("x2",), None), ("resdual", ("residual_6",), "residual_6"), ("lenet", ("lenet5.net",), "lenet5.net"),
    ("same", ("same",), None), ("out", ("output", "outer"), "output"),
])  # fmt: skip
def test_short_names_and_abbreviations(word, names, meant):
    assert nearest(word, names) == meant


@pytest.mark.parametrize(("a", "b", "apart"), [
    ("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("ab", "ba", 1), ("ca", "abc", 3), ("abcd", "abcd", 0),
    ("relu", "relue", 1), ("tahn", "tanh", 1), ("abcdef", "badcfe", 3),
])  # fmt: skip
def test_distance(a, b, apart):
    """`ca` and `abc` tell this form of the distance, 3, from the one that changes letters twice, 2."""
    assert distance(a, b, 9) == distance(b, a, 9) == apart
    assert distance(a, b, apart) == apart
    assert apart == 0 or distance(a, b, apart - 1) == apart
