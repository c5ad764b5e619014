"""Names of any length, wherever a name can stand: the code is laid out, and computes what it should."""

from __future__ import annotations

import ast
import keyword
import random
import subprocess
import sys

import pytest
import twins
from checking import check, keras_code, torch_code

from netspec.base.diagnostics import SpecError

# every `@name` is a name; one that is said twice is the same
TEXTS = {
    "chain": """
net @net(@units=6, @rate=0.5) {
  input @x [8]
  dense(@units) as @first -> relu
  add(identity, @first) as @sum
  dense(3) as @last -> dropout(@rate)
}""",
    "ports": """
block @two(@width, @kernel=3) {
  input @a [t, n]
  input @b [t, m]
  @wide = concat(@a, @b)
  output @sum = @wide -> conv(@width, @kernel, padding=same) as @slide
  output @mean = @wide -> global_avgpool -> dense(@width) as @flat
}
net @net(@wide=4) {
  input @first [9, 3]
  input @second [9, 5]
  @one, @other = @two(@first, @second, @wide)
  @third, @fourth = @two(@second, @first, @width=2*@wide, @kernel=5) as @again
  output @left = concat(@one, @third)
  output @right = concat(@other, @fourth)
}""",
    "turns": """
block @part(@filters, @stride=1) {
  input @x [@h, @w, @c]
  @main = @x -> conv(@filters, 3x3, stride=@stride, padding=1) as @conv -> batchnorm as @norm
  if @stride != 1 or @c != @filters {
    @skip = @x -> conv(@filters, 1x1, stride=@stride) as @project
  } else {
    @skip = @x
  }
  @main + @skip -> relu
}
net @net(@classes=3) {
  input @image [8, 8, 3]
  for (@size, @step) in [(4, 1), (6, 2)] as @stages { @part(@size, @step); @part(@size) }
  repeat 3 as @more { conv(6, 1x1) as @mixed -> relu }
  global_avgpool -> dense(@classes) as @head
}""",
    "weights": """
block @own(@units) {
  input @x [@t, @n]
  weight @matrix [@n, @units] init=normal(0.5)
  weight @shift [@units]
  @y = @x @@ @matrix + @shift
  softmax(@y) * @y
}
net @net {
  input @x [4, 6]
  layer @shared = dense(6)
  @shared as @one
  @own(6) as @twice
  @shared
  last -> dense(2)
}""",
    "recurrent": """
cell @cell(@units) {
  input @x
  state @h [@units]
  state @memory [@units]
  @gate = sigmoid(dense(concat(@x, @h), @units) as @gates)
  @change = tanh(dense(@x, @units) + dense(@h, @units, bias=false))
  next @memory = @gate * @memory + (1 - @gate) * @change
  next @h = tanh(next @memory)
  output next @h
}
net @net(@units=5) {
  input @series [6, 4]
  scan(@cell(@units), return=sequence) as @run
  @all, @end, @kept = @run -> lstm(@units, return=(sequence, state)) as @lstm
  concat(@all -> last, @end, @kept) -> dense(3) as @result
}""",
    "lists": """
block @unit(@table, @many=2) {
  input @x [@n]
  @parts = []
  for @width in @table { @parts = @parts + [@x -> dense(@width) as @branch -> tanh] }
  concat(@parts) -> dense(@n)
}
net @inner(@k=4) { input @v [@k + 2]; dense(@k) as @deep }
net @net {
  input @x [6]
  input @places [2] int(3)
  @x -> @unit([1, 2, 3]) as @first
  @unit([4, 5, 6, 7]) as @second
  @inner() as @held
  weight @table [3, 4]
  @rows = @table[[k % 3 for k in range(40)]]
  @wide = sum(@rows, axis=0) + @held
  @near = @places -> embedding(3, 4) as @letters -> mean(axis=0)
  @wide * @near
}""",
}
# what stands in the code anyway, or has a meaning in Python or the frameworks
_HOSTILE = """x y self nn torch F keras layers ops forward call build training inputs states module init_weights partial
sum max len range list zip Dense Linear relu_ None_ True_ super print value shape class def lambda import yield async
batch_size input_shape get_config kwargs functools Tensor modules parameters name dtype trainable __init__ _x
"""
HOSTILE = _HOSTILE.split()
STYLES = ("functional", "subclass", "sequential")


def named(text, rng, longest, hostile):
    """The text with a name for each `@name`, and those names."""
    chosen = {}

    def choose(word):
        if word not in chosen:
            stem = rng.choice(HOSTILE) if hostile else word
            name = stem if hostile and rng.random() < 0.5 else (f"{stem}_" * longest)[: rng.randint(1, longest)]
            while name in chosen.values() or name in TAKEN or not name.isidentifier():
                name = f"{name}{rng.randint(0, 9)}_" if len(name) < 300 else name[:-3] + str(rng.randint(100, 999))
            chosen[word] = name
        return chosen[word]

    pieces = text.replace("@@", "\0").split("@")
    found = [pieces[0]]
    for piece in pieces[1:]:
        end = next((k for k, sign in enumerate(piece) if not (sign.isalnum() or sign == "_")), len(piece))
        found.append(choose(piece[:end]) + piece[end:])
    return "".join(found).replace("\0", "@")


# names that the language has to itself where these texts use them
_TAKEN = """dense conv relu batchnorm sigmoid tanh softmax concat add sum mean last scan lstm embedding dropout
global_avgpool identity t n m h w c k input output state weight layer next cell block net for in if else repeat as range
and or not true false none same sequence import from const expect to rate
"""
TAKEN = _TAKEN.split()


def every(count, longest, hostile=True, seed=0):
    rng = random.Random(seed)
    for number in range(count):
        for word, text in TEXTS.items():
            yield f"{word}{number}", named(text, rng, longest, hostile)


def codes(net):
    """The code in each style that the net has."""
    found = {"torch": torch_code(net), **{style: in_keras(net, style) for style in STYLES}}
    return {style: code for style, code in found.items() if code}


def in_keras(net, style):
    """The code, or nothing where Keras has no such form of the net."""
    try:
        return keras_code(net, style)
    except SpecError as error:
        if error.diagnostics[0].code not in ("no-such-style", "not-in-keras"):
            raise
        return ""


def untidy(folder):
    """What the formatter and the linter have to say of a folder."""
    told = []
    for words in (["format", "--diff"], ["check", "--output-format", "concise"]):
        command = [sys.executable, "-m", "ruff", *words, "--isolated", "--no-cache", "--quiet", "."]
        told.append(subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout)
    return "\n".join(told).strip()


@pytest.mark.parametrize("longest", [3, 30, 60, 90, 300])
def test_code_is_laid_out_at_any_length(longest, tmp_path):
    for word, text in every(4, longest, hostile=longest != 60, seed=longest):
        net = check(text)
        assert net.ok, (text, net.diagnostics)
        for style, code in codes(net).items():
            ast.parse(code)
            (tmp_path / f"{word}_{style}.py").write_text(code, encoding="utf-8")
    assert not untidy(tmp_path)


@pytest.mark.parametrize("longest", [12, 40, 300])
@pytest.mark.parametrize("word", TEXTS)
def test_numbers_are_those_of_the_definition(word, longest):
    text = named(TEXTS[word], random.Random(longest), longest, hostile=True)
    net = check(text)
    for style in {"functional", "subclass"} & codes(net).keys():
        twins.compare(net, batches=(2, 1), style=style)


def test_what_is_wrapped_is_no_tuple():
    text = """
    net m {
      input x [8]
      dense(4) as squeeze_and_excitation_reduce_branch -> relu
      add(identity, squeeze_and_excitation_reduce_branch)
      dense(3)
    }"""
    net = check(text)
    for style in ("functional", "subclass"):
        twins.compare(net, batches=(2, 1), style=style)
    code = torch_code(net)
    assert not [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Tuple) and len(n.elts) == 1]


def test_words_of_python_are_among_the_names():
    assert sum(map(keyword.iskeyword, HOSTILE)) > 5
