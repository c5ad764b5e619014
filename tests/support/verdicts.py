"""Verdicts on specs: is each one function for the checker, in PyTorch, in Keras and in NumPy?"""

from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path
from types import MappingProxyType
from zlib import crc32

import twins  # before TensorFlow: it chooses the backend of Keras
from checking import KERAS_STYLES, check, keras_code, torch_code
from randomly.known import everything
from shrink import shrink

from netspec.base.diagnostics import SpecError
from netspec.base.record import TYPE_CHECKING, Record
from netspec.ir.types import Step
from netspec.weights import samples

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSALS = frozenset(("not-in-torch", "not-in-keras", "no-such-style"))
# unused arguments and names, and whatever says the same in more words than needed
RULES = ("--select", "E4,E7,E9,F,B,ARG,SIM,RET,C4,PIE,PLR1", "--ignore", "E741,E742,B905,SIM108")
NOTHING = MappingProxyType({})


class Verdict(Record):
    """What became of a spec.

    `kind` is `agrees`, `refused`, `constant` (the output does not hang on the input), `infinite`, `outside` (a number
    is no class of a `one_hot`, for which PyTorch stops), `invalid` or `fault`.
    `sign` tells faults apart. `errors` are the worst relative errors by pair, `dtype` what they were measured in,
    `styles` the styles of Keras that were compared, `refused` says why a target is not to be had, `codes` are the
    texts.
    """

    kind: str
    message: str = ""
    sign: str = ""
    dtype: str = ""
    errors: Mapping[str, float] = NOTHING
    styles: tuple[str, ...] = ()
    refused: Mapping[str, str] = NOTHING
    codes: Mapping[str, str] = NOTHING


def judge(text, dtype="", batches=(2, 1)):
    """The verdict on a spec. It never raises. Without a `dtype` it is float64, where that can be."""
    try:
        net = check(text)
        if not net.ok:
            return Verdict("invalid", "; ".join(f"{d.code}: {d.message}" for d in net.diagnostics))
        codes, refused = written(text, net)
        found = compared(net, chosen(text, codes), dtype or widest(net), batches)
        return found.replace(refused=refused, codes=codes)
    except Exception as error:  # whatever it is, it is what was looked for
        if "Class values must be smaller" in str(error):
            return Verdict("outside")
        return Verdict("fault", "".join(traceback.format_exception(error)[-4:]), _sign(error))


def _sign(error):
    """What a fault is known by: what was raised, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "/netspec/" in f.filename or f.filename.endswith("twins.py")] or frames
    said = "".join(c for c in str(error).split("\n")[0][:40] if not c.isdigit())
    return f"{type(error).__name__} {Path(own[-1].filename).stem}.{own[-1].name} {said}"


def written(text, net):
    """The code for each target, or why there is none. Raises AssertionError where it differs the second time."""
    codes, refused = {}, {}
    styles = {style: lambda net, style=style: keras_code(net, style) for style in KERAS_STYLES}
    again = check(text)
    for target, emit in {"torch": torch_code, **styles}.items():
        code, why = _emitted(emit, net)
        if why:
            refused[target] = why
            continue
        compile(code, target, "exec")
        assert emit(again) == code, f"{target}: the text is another one the second time"
        codes[target] = code
    return codes, refused


def _emitted(emit, net):
    """The code, or why there is none."""
    try:
        return emit(net), ""
    except SpecError as error:
        found = error.diagnostics[0]
        assert found.code in REFUSALS, f"refused with {found.code}: {found.message}"
        return "", f"{found.code}: {found.message}"


def chosen(text, codes):
    """The styles of Keras to compare: the functional one, some of the others, and all where that is refused."""
    if "torch" not in codes:
        return ()
    others = [s for s in ("subclass", "sequential") if s in codes]
    if "functional" not in codes:
        return tuple(others)
    extra = others if crc32(text.encode()) % 4 == 0 else others[1:]
    return ("functional", *extra)


def widest(net):
    """The type to compare in: float64, but for nets that cast, or with what TensorFlow has in float32 only."""
    steps = [item for item in everything(net.net.body.items) if isinstance(item, Step)]
    return "float32" if any(_is_single(s) for s in steps) else "float64"


def _is_single(step):
    """Does it cast to float32, or has TensorFlow on the CPU no form in float64 for it?"""
    layer = step.layer
    if layer.kind == "conv_transpose":
        return layer.dilation != 1
    if layer.kind in ("separable_conv", "depthwise_conv"):
        return isinstance(layer.stride, tuple)
    if layer.kind == "upsample":
        return layer.mode != "nearest"
    return layer.kind in ("cast", "one_hot") or len(step.output.shape) > 3


# what is written at random divides by small numbers and cuts off at thresholds, so that rounding grows
TOLERANCE = {"float32": 1e-3, "float64": 1e-6}


def compared(net, styles, dtype, batches):
    """The verdict of the numbers. Raises whatever goes wrong."""
    if not styles:
        return Verdict("refused")
    try:
        sizes = samples.sizes_that_fit(net)
    except ValueError:  # a demand on its sizes, such as to be even, that was not met
        return Verdict("refused")
    worst = dict.fromkeys(twins.PAIRS, 0.0)
    for style in styles:
        try:
            errors = twins.compare(net, batches, sizes, style, dtype=dtype, tolerance=TOLERANCE[dtype])
        except (twins.Constant, twins.Infinite) as error:
            return Verdict(type(error).__name__.lower(), styles=styles)
        worst = {pair: max(worst[pair], errors[pair]) for pair in worst}
    return Verdict("agrees", dtype=dtype, errors=worst, styles=styles)


def shrunk(text, verdict):
    """The smallest spec found that has the same fault."""

    def fails(candidate):
        found = judge(candidate)
        return found.kind == "fault" and found.sign == verdict.sign

    return shrink(text, fails)


# --- many at once ----------------------------------------------------------------------------------------------------


def untidy(folder):
    """The files of a folder for which the formatter or the linter has something to say, with what it says."""
    found = {}
    for words in (["format", "--diff"], ["check", "--output-format", "concise", *RULES]):
        command = [sys.executable, "-m", "ruff", *words, "--isolated", "--no-cache", "--quiet", "."]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        for path in folder.glob("*.py"):
            if path.name in done.stdout:
                told = done.stdout.split(path.name, 1)[1][:1500]
                found[path.name] = f"ruff {words[0]}: {told}"
    return found
