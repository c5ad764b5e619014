"""What each diagnostic means: the one list of codes, with a wrong and a right example of each.

`build` names the framework, or the form of its code, that refuses the wrong example; the others are found by a check.
"""

from __future__ import annotations

from .base.record import Record


class Code(Record):
    """A kind of diagnostic. The examples are whole specs."""

    title: str
    text: str
    wrong: str
    right: str
    build: str = ""


CODES: dict[str, Code] = {}


def _code(name: str, title: str, text: str, wrong: str, right: str, build: str = "") -> None:
    CODES[name] = Code(title, " ".join(text.split()), wrong.strip("\n") + "\n", right.strip("\n") + "\n", build)


# --- the text ------------------------------------------------------------------------------------------------------

_code(
    "syntax",
    "the text is not in the form of the language",
    """The text cannot be read from here on: a bracket is missing, two steps stand on one line with nothing between
    them, or a word stands where another should. The place that is marked is the first that does not fit; what is
    wrong may stand just before it. The rest of the file is still read, from the next statement on.""",
    """
net tiny {
  input x [28, 28, 1]
  flatten dense(10)
}
""",
    """
net tiny {
  input x [28, 28, 1]
  flatten -> dense(10)
}
""",
)
_code(
    "no-net",
    "there is no net in the text",
    """A command works on a net, by default on the last one of the file. The file is empty, or it holds only blocks and
    constants. Write a net that uses them.""",
    """
block head(classes) {
  flatten
  dense(classes)
}
""",
    """
block head(classes) {
  flatten
  dense(classes)
}

net tiny {
  input x [28, 28, 1]
  head(10)
}
""",
)

# --- names ---------------------------------------------------------------------------------------------------------

_code(
    "unknown-name",
    "a name stands for nothing here",
    """No layer, block, function or value has this name at this place. It may be misspelt, bound only further down, or
    bound inside a block or `{ }`, where it stays. Words such as `same` are known only as the values of arguments.""",
    """
net tiny {
  input x [28, 28, 1]
  flaten
  dense(10)
}
""",
    """
net tiny {
  input x [28, 28, 1]
  flatten
  dense(10)
}
""",
)
_code(
    "duplicate-name",
    "one name is given to two things",
    """Nets, blocks and constants of a file share one set of names, and so do the layers of a body that are named with
    `as`. A name becomes an attribute of the generated code, so it can stand for one thing only.""",
    """
net tiny {
  input x [28, 28, 1]
  flatten
  dense(32) as hidden
  dense(10) as hidden
}
""",
    """
net tiny {
  input x [28, 28, 1]
  flatten
  dense(32) as hidden
  dense(10) as logits
}
""",
)
_code(
    "recursion",
    "a definition leads back to itself",
    """A block that uses itself, straight or through other blocks, would never end; a constant that needs its own value
    has none. The marks show the way round. For a number of turns that is known use `repeat` or `for`.""",
    """
block deeper(n) {
  dense(n)
  deeper(n)
}

net tiny {
  input x [16]
  deeper(8)
}
""",
    """
block deeper(n) {
  repeat 3 { dense(n) }
}

net tiny {
  input x [16]
  deeper(8)
}
""",
)


_code(
    "import-failed",
    "a file that is imported cannot be read",
    """There is no such file, it is a folder, or it is no text in UTF-8. A path is relative to the file that imports it;
    a text from standard input stands in the current folder. `std/` is the library that ships with netspec, so a folder
    of your own of that name is written `./std/`.""",
    """
from "std/conv_norm.net" import conv_norm_act

net tiny {
  input x [28, 28, 1]
  conv_norm_act(8)
}
""",
    """
from "std/conv.net" import conv_norm_act

net tiny {
  input x [28, 28, 1]
  conv_norm_act(8)
}
""",
)
_code(
    "import-outside",
    "a file is imported from a folder that was not allowed",
    """A spec may import files of its own folder and of the folders below it, so that a spec from elsewhere cannot read
    what it likes. `--include DIR`, or `include=` in Python, allows the files of another folder.""",
    """
import "../elsewhere/blocks.net"

net tiny {
  input x [28, 28, 1]
  flatten
}
""",
    """
import "std/conv.net"

net tiny {
  input x [28, 28, 1]
  flatten
}
""",
)
_code(
    "import-cycle",
    "files import one another",
    """A file that imports itself, straight or through others, could never be read to its end. The message shows the way
    round, and the marks the imports that lead there. Put what both files need into a third one. (The wrong example is
    a file called example.net.)""",
    """
from "example.net" import unit

block unit { dense(8) -> relu }

net tiny {
  input x [16]
  dense(4)
}
""",
    """
block unit { dense(8) -> relu }

net tiny {
  input x [16]
  unit -> dense(4)
}
""",
)

_code(
    "shadowed-name",
    "a name hides the layer that is called so",
    """A block or constant has the name of a layer. Wherever the name stands in this file the definition is meant, and
    the layer cannot be used any more. This is a warning.""",
    """
block dense(n) { conv(n, 1x1) }

net tiny {
  input x [8, 8, 3]
  dense(4)
}
""",
    """
block mix(n) { conv(n, 1x1) }

net tiny {
  input x [8, 8, 3]
  mix(4)
}
""",
)

# --- arguments -----------------------------------------------------------------------------------------------------

_code(
    "missing-argument",
    "an argument that has no default is not given",
    """The layer or block needs this value and has no default for it, or a parameter of the net has neither a default
    nor a value from `--set`. `netspec layers NAME` shows what a layer takes.""",
    """
net tiny {
  input x [28, 28, 1]
  conv(32)
}
""",
    """
net tiny {
  input x [28, 28, 1]
  conv(32, 3x3)
}
""",
)
_code(
    "unknown-argument",
    "there is no argument of that name",
    """The layer, block or function has no argument of this name. It may be misspelt, or have another name here than in
    a framework. `netspec layers NAME` shows what a layer takes.""",
    """
net tiny {
  input x [28, 28, 1]
  conv(32, 3x3, strides=2)
}
""",
    """
net tiny {
  input x [28, 28, 1]
  conv(32, 3x3, stride=2)
}
""",
)
_code(
    "duplicate-argument",
    "an argument is given twice",
    """The same argument has two values: twice by name, or once by its position and once by name. Remove
    one of them.""",
    """
net tiny {
  input x [28, 28, 1]
  conv(32, 3x3, filters=64)
}
""",
    """
net tiny {
  input x [28, 28, 1]
  conv(32, 3x3)
}
""",
)
_code(
    "wrong-arity",
    "the number of values does not fit",
    """A layer, block or function is given more or fewer values than it takes, or a list is unpacked into another
    number of names than it has items. The flow counts as a value where one is missing.""",
    """
net tiny {
  input x [28, 28, 1]
  conv(32, 3x3, 1, 0, 1, 1, true, none, 7)
}
""",
    """
net tiny {
  input x [28, 28, 1]
  conv(32, 3x3, 1, 0, 1, 1, true, none)
}
""",
)
_code(
    "several-values",
    "a step gives several values where one is taken",
    """A layer with `return=state` or several words there, directions that are not merged and a block of several outputs
    give several values. Each gets a name, and the one that is meant goes on. A join such as `concat` takes all.""",
    """
net tiny {
  input x [T, 4]
  x -> lstm(8, return=state) -> dense(3)
}
""",
    """
net tiny {
  input x [T, 4]
  h, c = x -> lstm(8, return=state)
  h -> dense(3)
}
""",
)
_code(
    "wrong-value",
    "a value is not one that can stand here",
    """The argument exists, but it cannot have this value: a word that is not among the choices, a number out of range,
    a text in quotes where a bare word is meant. The message says what can stand here.""",
    """
net tiny {
  input x [28, 28, 1]
  conv(32, 3x3, padding=full)
}
""",
    """
net tiny {
  input x [28, 28, 1]
  conv(32, 3x3, padding=same)
}
""",
)
_code(
    "wrong-dtype",
    "the layer works on another kind of number",
    """Some layers look numbers up, such as `embedding`, and need whole numbers; all that multiply need real ones. An
    input holds whole numbers where it says so: `input words [T] int(8000)`.""",
    """
net tagger {
  input words [40] int(8000)
  dense(10)
}
""",
    """
net tagger {
  input words [40] int(8000)
  embedding(8000, 32)
  dense(10)
}
""",
)
_code(
    "not-a-step",
    "what stands here cannot be applied to the flow",
    """After `->` and as a statement of its own a step is needed: a layer, a block, another net, a shared layer or
    `{ ... }`. A value can only begin a pipeline, since it takes nothing in. A cell is a step of a sequence: `scan`
    runs it.""",
    """
net tiny {
  input x [16]
  skip = x -> dense(16)
  dense(16) -> skip
}
""",
    """
net tiny {
  input x [16]
  skip = x -> dense(16)
  dense(16) + skip
}
""",
)
_code(
    "not-a-value",
    "a number stands where a value of the net is needed, or the other way round",
    """Numbers, words and lists are known when the spec is compiled; values of the net, such as the output of a layer,
    only when it runs. The flow and the inputs of layers are values; arguments, conditions and the functions `min`,
    `len` and so on take numbers. The shape of a value is known: `x.shape`, `x.channels`.""",
    """
net tiny {
  input x [16]
  if x > 0 { dense(16) }
  dense(10)
}
""",
    """
net tiny {
  input x [16]
  if x.channels > 8 { dense(16) }
  dense(10)
}
""",
)

# --- inputs and the flow -------------------------------------------------------------------------------------------

_code(
    "no-flow",
    "there is no value to work on, or none comes out",
    """A step without values of its own takes the flow. There is none before the first input, nor in a net of several
    inputs until one of them is named; and a net or block must give something in the end.""",
    """
net pair {
  input left [16]
  input right [16]
  dense(10)
}
""",
    """
net pair {
  input left [16]
  input right [16]
  concat(left, right) -> dense(10)
}
""",
)
_code(
    "missing-shape",
    "an input of a net has no shape",
    """The shape of a net's input must be written, without the batch axis and with the channels last. A size that is
    not known yet may be a name, such as `T`. Only in a block may it be left out, since it is that of what comes in.""",
    """
net tiny {
  input x
  dense(10)
}
""",
    """
net tiny {
  input x [T, 14]
  dense(10)
}
""",
)
_code(
    "misplaced-expect",
    "an expectation stands outside of a net",
    """What `expect` asks for are figures of a whole net, such as `params`. A block or cell has none of its own: it is
    sized anew wherever it is used.""",
    """
block head(n) {
  dense(n)
  expect output == [10]
}

net tiny {
  input x [16]
  head(10)
}
""",
    """
block head(n) {
  dense(n)
}

net tiny {
  input x [16]
  head(10)
  expect output == [10]
}
""",
)
_code(
    "misplaced-input",
    "an input stands behind the first step, or in braces",
    """The inputs of a net or block are declared before its steps, at the top. A step in front of them has nothing to
    work on yet. A net may choose between inputs with `if`.""",
    """
block residual(n) {
  dense(n)
  input x [c]
  dense(c)
}

net tiny {
  input x [16]
  residual(8)
}
""",
    """
block residual(n) {
  input x [c]
  dense(n)
  dense(c)
}

net tiny {
  input x [16]
  residual(8)
}
""",
)

_code(
    "unused-value",
    "a value is bound, and nothing uses it",
    """A name is bound by `name = ...` or `layer name = ...` and stands nowhere else in the body. Either a name further
    down is another one than was meant, or the line is left over. This is a warning.""",
    """
net tiny {
  input x [16]
  skip = x -> dense(8)
  dense(8)
}
""",
    """
net tiny {
  input x [16]
  skip = x -> dense(8)
  dense(8) + skip
}
""",
)
_code(
    "unused-input",
    "an input is declared, and nothing uses it",
    """Every input has to be given when the net runs or the block is used, though nothing depends on this one. In a body
    of several inputs the flow begins where one of them is named. This is a warning.""",
    """
net pair {
  input left [16]
  input right [16]
  left -> dense(10)
}
""",
    """
net pair {
  input left [16]
  input right [16]
  concat(left, right) -> dense(10)
}
""",
)
_code(
    "unused-parameter",
    "a parameter is declared, and nothing uses it",
    """A net or block has a parameter that its body does not mention, so nothing changes whatever it is given. Most
    often it was meant to be handed on to a layer. This is a warning.""",
    """
block unit(filters, stride=1) { conv(filters, 3x3) }

net tiny {
  input x [28, 28, 1]
  unit(8, stride=2)
}
""",
    """
block unit(filters, stride=1) { conv(filters, 3x3, stride=stride) }

net tiny {
  input x [28, 28, 1]
  unit(8, stride=2)
}
""",
)
_code(
    "lost-mask",
    "padded steps are not skipped",
    """`embedding(mask=true)` marks padding for the recurrent layers behind it. The mask goes with every sequence
    made step by step of the embedded one. It ends where steps are mixed or left out, where sequences with different
    masks are joined, and at blocks. A recurrent layer behind that would take padded steps for real ones, and without
    any that heeds it the mask has no effect. This is a warning.""",
    """
net tiny {
  input words [T] int(1000)
  embedding(1000, 16, mask=true)
  conv(16, 3, padding=same)
  lstm(8)
}
""",
    """
net tiny {
  input words [T] int(1000)
  embedding(1000, 16, mask=true)
  dense(16, activation=relu)
  lstm(8)
}
""",
)
_code(
    "lost-flow",
    "the value of a statement goes nowhere",
    """A statement makes something of the flow, and nothing takes it up: the next statement begins anew with a value, or
    `output` names others. PyTorch code works it out for nothing, and a functional Keras model cannot hold it. This is a
    warning.""",
    """
net tiny {
  input x [16]
  dense(32) -> relu
  x -> dense(10)
}
""",
    """
net tiny {
  input x [16]
  dense(32) -> relu
  dense(10)
}
""",
)

_code(
    "flow-left-out",
    "a flow has no part in a layer that takes several values",
    """An attention takes the value that asks, and the one that it looks at. One value alone in the brackets attends to
    itself, and here something else flows, which is left out. This is a warning: name the flow with `identity`, or lead
    the value in with an arrow, `memory -> multihead_attention(2)`, if it is to attend to itself.""",
    """
net tiny {
  input x [8, 6]
  input memory [8, 6]
  x -> dense(6)
  add(identity, multihead_attention(memory, heads=2))
}
""",
    """
net tiny {
  input x [8, 6]
  input memory [8, 6]
  x -> dense(6)
  add(identity, multihead_attention(identity, memory, heads=2))
}
""",
)
_code(
    "foreign-arguments",
    "arguments look like those of another library",
    """They can be taken as they stand, and are hardly meant so: PyTorch begins with the channels that come in, which
    are known here, so that `conv(3, 64, 7)` has 3 filters of 64x64 with a stride of 7; and its momentum is the share
    that is new, not the one that is kept. This is a warning: the help says what to write.""",
    """
net tiny {
  input image [224, 224, 3]
  conv(3, 64, 7)
}
""",
    """
net tiny {
  input image [224, 224, 3]
  conv(64, 7)
}
""",
)

# --- shapes --------------------------------------------------------------------------------------------------------

_code(
    "wrong-rank",
    "the input has another number of axes than the layer takes",
    """Shapes are written without the batch axis: a vector is `[F]`, a sequence `[T, F]`, an image `[H, W, C]`, a
    volume `[D, H, W, C]`. A dense layer between convolutions and the output usually wants `flatten` or
    `global_avgpool` before it; a window such as `3x3` wants as many spatial axes as it has numbers.""",
    """
net tiny {
  input x [28, 28, 1]
  flatten
  conv(8, 3x3)
}
""",
    """
net tiny {
  input x [28, 28, 1]
  conv(8, 3x3)
  flatten
}
""",
)
_code(
    "wrong-axis",
    "there is no axis of that number",
    """Axes are numbered without the batch: 0 is the first one written, -1 the last, which holds the channels. An axis,
    or a place on one, that the shape does not have cannot be asked for.""",
    """
net tiny {
  input x [28, 28, 1]
  input y [28, 28, 1]
  concat(x, y, axis=3)
}
""",
    """
net tiny {
  input x [28, 28, 1]
  input y [28, 28, 1]
  concat(x, y, axis=2)
}
""",
)
_code(
    "shape-mismatch",
    "two shapes do not fit together",
    """Values that are added, multiplied or put side by side must agree in size: axis by axis from the last one, where
    a size of 1 stretches; `concat` may differ on its own axis only. A block that writes `input x [h, w, 3]` takes
    three channels and nothing else. Both sides are marked.""",
    """
net tiny {
  input x [28, 28, 8]
  add(identity, conv(8, 3x3))
}
""",
    """
net tiny {
  input x [28, 28, 8]
  add(identity, conv(8, 3x3, padding=same))
}
""",
)
_code(
    "window-too-large",
    "a window does not fit into what it slides over, or nothing is left",
    """A convolution or pool needs at least one place for its window. The message shows the arithmetic: size, less
    window, plus padding, by stride, plus one. Usually there is one pool too many, or padding is missing.""",
    """
net tiny {
  input x [4, 4, 1]
  conv(8, 7x7)
}
""",
    """
net tiny {
  input x [4, 4, 1]
  conv(8, 7x7, padding=same)
}
""",
)
_code(
    "group-mismatch",
    "channels do not divide into the groups asked for",
    """A grouped layer splits its channels into equal parts, so the number of groups must divide the channels that come
    in. In a convolution it must divide the filters as well.""",
    """
net tiny {
  input x [28, 28, 6]
  conv(8, 3x3, groups=4)
}
""",
    """
net tiny {
  input x [28, 28, 6]
  conv(8, 3x3, groups=2)
}
""",
)
_code(
    "nothing-to-norm",
    "a norm over single numbers",
    """Such a norm takes the mean of some numbers away from each of them. Of a single number nothing is left: the result
    is 0 whatever the input is, and the layers before it cannot learn. Normalise over more: in fewer groups, or with
    `layernorm`.""",
    """
net tiny {
  input x [28, 28, 6]
  global_avgpool -> groupnorm(groups=6)
}
""",
    """
net tiny {
  input x [28, 28, 6]
  global_avgpool -> groupnorm(groups=2)
}
""",
)
_code(
    "unknown-size",
    "a number is needed, but the size is a symbol",
    """A free name in an input shape, such as `T`, is a size that is not known yet. It can be carried along and added
    and divided, but a condition, a number of turns or a kernel must be a number. Bind it with `--set T=50`, or
    write the spec so that it does not matter.""",
    """
net tiny {
  input x [T, 14]
  if T > 10 { dense(8) }
  dense(1)
}
""",
    """
net tiny(deep=true) {
  input x [T, 14]
  if deep { dense(8) }
  dense(1)
}
""",
)
_code(
    "too-large",
    "the spec comes to more than the limits allow",
    """A few lines can ask for millions of layers, or for numbers beyond all use. Such a spec is refused at once, with
    the calls that lead there, instead of filling the memory. Fewer turns, or smaller numbers, are needed.""",
    """
net tower {
  input x [16]
  repeat 1000 { repeat 1000 { dense(16) } }
}
""",
    """
net tower {
  input x [16]
  repeat 10 { repeat 10 { dense(16) } }
}
""",
)

# --- expectations --------------------------------------------------------------------------------------------------

_code(
    "expectation-failed",
    "an `expect` line does not hold",
    """The figure on the left was worked out from the spec, and it is not what the line says. Either a layer differs
    from the paper's, or the paper counts otherwise: here shared weights count once, running means and variances do
    not count, and a multiply-accumulate is one operation.""",
    """
net tiny {
  input x [28, 28, 1]
  flatten
  dense(10)
  expect params == 7_840
}
""",
    """
net tiny {
  input x [28, 28, 1]
  flatten
  dense(10)
  expect params == 7_850
}
""",
)

# --- recurrence ----------------------------------------------------------------------------------------------------

_code(
    "channels-first",
    "an input looks to have its channels first",
    """Channels come last in the language, whatever the framework: `[3, 224, 224]` has 224 of them, and a convolution
    slides over 3 x 224 cells. Code for PyTorch takes (N, C, H, W) all the same. This is a warning: write
    `[224, 224, 3]`, a sequence `[T, features]`.""",
    """
net tiny {
  input image [3, 224, 224]
  conv(64, 3x3, padding=same)
}
""",
    """
net tiny {
  input image [224, 224, 3]
  conv(64, 3x3, padding=same)
}
""",
)
_code(
    "batch-written",
    "an input looks to have an axis for the batch",
    """The batch is always there and never written. An axis for it is one more axis of each sample: a dense layer takes
    the samples for the steps of a sequence, a convolution for the planes of a volume. This is a warning: leave the axis
    out.""",
    """
net tiny {
  input x [batch, 784]
  dense(10)
}
""",
    """
net tiny {
  input x [784]
  dense(10)
}
""",
)
_code(
    "no-time-axis",
    "there is no axis of time to run over",
    """A recurrent layer runs over the first axis of a sequence `[T, F]`. The only axis of a vector is that of its
    channels. Where a vector should be read number by number, give it a second axis.""",
    """
net tiny {
  input x [16]
  lstm(8)
}
""",
    """
net tiny {
  input x [16]
  reshape(16, 1)
  lstm(8)
}
""",
)
_code(
    "cell-without-scan",
    "a cell stands where a layer should",
    """A `cell` is one step of a recurrence: it takes what is at a step and its own state. `scan` runs it over the
    steps of a sequence. Only in another cell may a cell be a step, and its state is then part of the state there.""",
    """
cell leak(units) {
  input x
  state h [units]
  next h = 0.9 * h + dense(x, units)
  output next h
}

net tiny {
  input x [T, 4]
  leak(8)
}
""",
    """
cell leak(units) {
  input x
  state h [units]
  next h = 0.9 * h + dense(x, units)
  output next h
}

net tiny {
  input x [T, 4]
  scan(leak(8))
}
""",
)
_code(
    "misplaced-state",
    "a state stands outside of a cell",
    """What is kept from step to step belongs to a `cell`. A net or block has no steps: it works on whole sequences,
    and runs cells over them with `scan`.""",
    """
net tiny {
  input x [T, 4]
  state h [8]
  next h = 0.9 * h + dense(x, 8)
  output h
}
""",
    """
cell leak {
  input x
  state h [8]
  next h = 0.9 * h + dense(x, 8)
  output next h
}

net tiny {
  input x [T, 4]
  scan(leak)
}
""",
)
_code(
    "state-without-next",
    "nothing says what a state will be",
    """Each `state` of a cell needs one `next`: what it is at a step makes what it will be at the next one. What
    never changes is a `weight`, or a number.""",
    """
cell leak(units) {
  input x
  state h [units]
  output 0.9 * h + dense(x, units)
}

net tiny {
  input x [T, 4]
  scan(leak(8))
}
""",
    """
cell leak(units) {
  input x
  state h [units]
  next h = 0.9 * h + dense(x, units)
  output next h
}

net tiny {
  input x [T, 4]
  scan(leak(8))
}
""",
)
_code(
    "two-nexts",
    "a state will be two things at once",
    """A `state` has one `next`. What is worked out in several lines has names of its own on the way, and where a
    condition decides, `where(...)` chooses number by number.""",
    """
cell leak(units) {
  input x
  state h [units]
  next h = 0.9 * h
  next h = tanh(dense(x, units))
  output next h
}

net tiny {
  input x [T, 4]
  scan(leak(8))
}
""",
    """
cell leak(units) {
  input x
  state h [units]
  kept = 0.9 * h
  next h = kept + tanh(dense(x, units))
  output next h
}

net tiny {
  input x [T, 4]
  scan(leak(8))
}
""",
)
_code(
    "unequal-next",
    "what a state will be has another shape",
    """What a step leaves is what the next step begins with. So `next` has the shape that the `state` was declared
    with.""",
    """
cell leak(units) {
  input x
  state h [units]
  next h = concat(h, dense(x, units))
  output next h
}

net tiny {
  input x [T, 4]
  scan(leak(8))
}
""",
    """
cell leak(units) {
  input x
  state h [units]
  next h = concat(h, x) -> dense(units)
  output next h
}

net tiny {
  input x [T, 4]
  scan(leak(8))
}
""",
)
_code(
    "no-state",
    "a cell remembers nothing",
    """A cell without `state` does the same at each step whatever came before. Layers on vectors do that to a whole
    sequence as they are, so a `block` says it.""",
    """
cell encode(units) {
  input x
  dense(units) -> tanh
}

net tiny {
  input x [T, 4]
  scan(encode(8))
}
""",
    """
block encode(units) {
  dense(units) -> tanh
}

net tiny {
  input x [T, 4]
  encode(8)
}
""",
)
_code(
    "wrong-state",
    "the initial state is not that of the layer",
    """The state of an `rnn` or `gru` is one vector of its units, that of an `lstm` two: `(h, c)`, that of a cell of
    one's own all that it declares, in that order. With `bidirectional` there is one for each direction, in a
    `stack` one for each layer. `return=state` gives them in the order that `initial` takes.""",
    """
net tiny {
  input x [T, 4]
  input start [8]
  x -> lstm(8, initial=start)
}
""",
    """
net tiny {
  input x [T, 4]
  input start [8]
  x -> lstm(8, initial=(start, start))
}
""",
)
_code(
    "unequal-lengths",
    "two sequences that run together have different lengths",
    """A mask says for each step of a sequence whether it counts, and a join takes the same step of each. So all have as
    many steps as one another. Lengths that are written with different symbols are not known to agree.""",
    """
net tiny {
  input x [T, 4]
  input seen [S] bool
  x -> lstm(8, mask=seen)
}
""",
    """
net tiny {
  input x [T, 4]
  input seen [T] bool
  x -> lstm(8, mask=seen)
}
""",
)
_code(
    "symbolic-batch",
    "a state that is kept needs a known size of the batch",
    """A `stateful` layer keeps a state for each sample of a batch. Keras must know how many there are when the model
    is made; PyTorch need not.""",
    """
net tiny {
  input x [T, 4]
  lstm(8, stateful=true)
}
""",
    """
net tiny {
  input x [T, 4]
  lstm(8, stateful=true, batch=32)
}
""",
    "keras",
)

# --- frameworks ----------------------------------------------------------------------------------------------------

_code(
    "constant-output",
    "an output is the same whatever comes in",
    """What is made of weights alone is the same for every sample. It has no batch axis, so a net cannot give it as an
    output. Join it with something that an input has a part in.""",
    """
net tiny {
  input x [8]
  weight scale [8] init=ones
  output tanh(scale)
}
""",
    """
net tiny {
  input x [8]
  weight scale [8] init=ones
  output x * tanh(scale)
}
""",
)
_code(
    "never-used",
    "a weight is declared and never used",
    """The weight is counted among the parameters, but nothing takes it, so it would never learn. This is a warning:
    the net means something all the same.""",
    """
net tiny {
  input x [8]
  weight scale [8] init=ones
  weight shift [8] init=zeros
  x * scale
}
""",
    """
net tiny {
  input x [8]
  weight scale [8] init=ones
  weight shift [8] init=zeros
  x * scale + shift
}
""",
)
_code(
    "not-in-keras",
    "Keras has no form for this",
    """The spec is sound, but Keras has no layer that does the same, and nothing is written rather than something else.
    The mark is on the argument that Keras cannot follow. Change it, or build for PyTorch.""",
    """
net tiny {
  input x [28, 28, 3]
  conv(8, 3x3, stride=2, dilation=2)
}
""",
    """
net tiny {
  input x [28, 28, 3]
  conv(8, 3x3, dilation=2)
}
""",
    "keras",
)
_code(
    "not-in-torch",
    "PyTorch has no form for this",
    """The spec is sound, but PyTorch has nothing that does the same, and nothing is written rather than something
    else. Often a size that PyTorch needs when the module is made, such as the number of channels, is still a
    symbol. The mark is on what it cannot follow.""",
    """
net tagger {
  input x [T, F]
  dense(10)
}
""",
    """
net tagger {
  input x [T, 14]
  dense(10)
}
""",
    "torch",
)
_code(
    "no-such-style",
    "the net cannot be written in this form of code",
    """`keras.Sequential` is a chain of Keras layers from one input to one output. A net that branches, shares a layer
    or uses an operation that is no layer of Keras needs `--style functional`, which can say everything.""",
    """
net tiny {
  input x [28, 28, 8]
  add(identity, conv(8, 3x3, padding=same))
}
""",
    """
net tiny {
  input x [28, 28, 8]
  conv(8, 3x3, padding=same)
}
""",
    "sequential",
)
