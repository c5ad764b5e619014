"""The long sweep over settings: is the object that generated code makes with an argument the net of that setting?

`python -m bench.settings [--only SPEC...] [--values N] [--out FILE]` takes each argument of each generated class of the
specs in the zoo (or of the files named), builds the object with further values of it on the meta device, which holds no
numbers, and compares it with the net that `netspec check --set NAME=VALUE` describes: names and shapes of its arrays,
the number of parameters, and shapes of outputs. A ValueError that says what values are taken is a refusal; all else
that differs is a disagreement. Exit status 1 where there was one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from math import prod
from pathlib import Path

from netspec.api import check
from netspec.diagnostics import SpecError
from netspec.dims import substitute
from netspec.elaborate.net import SettingError
from netspec.emit import torch as to_torch
from netspec.files import ZOO, read_source, zoo_names
from netspec.models.code import execute
from netspec.models.torch_model import import_torch, is_counter
from netspec.record import TYPE_CHECKING, Record
from netspec.verify.further import Argument, arguments, further, literals
from netspec.weights.samples import sizes_that_fit
from netspec.weights.spelling import Spelling, spelling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from netspec.ir import CheckedNet
    from netspec.source import Source


class Finding(Record):
    """What became of one value of one argument: `agrees`, `refused`, or what is wrong, in words."""

    spec: str
    owner: str
    argument: str
    value: Any
    verdict: str

    def __str__(self) -> str:
        return f"{self.spec}: {self.owner}({self.argument}={self.value!r}): {self.verdict}"


# --- one net ---------------------------------------------------------------------------------------------------------


def judged(source: Source, most: int) -> Iterator[Finding]:
    """Each value of each argument of the PyTorch class of a net."""
    net = _whole(source, {})
    if net is None:
        return
    text = to_torch.emit(net)
    names = {*net.net.body.arguments, *net.net.symbols}
    for argument in arguments(text):
        setting = next((n for n in (argument.name, argument.name.rstrip("_")) if n in names), "")
        if not setting:
            yield Finding(source.name, net.name, argument.name, argument.default, "no setting of the net has this name")
            continue
        tried = 0
        for value in further(_told(argument), literals(net.net.body.definition)):
            other = _whole(source, {setting: value}) if tried < most else None
            if other is not None:
                tried += 1
                yield Finding(source.name, net.name, argument.name, value, _verdict(text, argument.name, value, other))


def _told(argument: Argument) -> Any:
    return 8 if argument.required else argument.default


def _whole(source: Source, settings: Mapping[str, Any]) -> CheckedNet | None:
    """The net with these settings; None where it is none. An expectation may speak of another setting."""
    try:
        verdict = check(source, settings=settings)
    except SettingError:
        return None
    faults = [d for d in verdict.diagnostics if d.severity == "error" and d.code != "expectation-failed"]
    return None if faults or verdict.checked is None else verdict.checked


def _verdict(text: str, argument: str, value: Any, net: CheckedNet) -> str:
    """Does the class build this net with the argument?"""
    torch = import_torch()
    try:
        wanted = spelling(to_torch.holders(net))
    except SpecError:
        return "no form"
    try:
        with torch.device("meta"):
            module = execute(text, net.name)(**{argument: value}).eval()
    except ValueError as error:
        return f"refused: {error}" if _of_code(error) else f"ValueError: {error}"
    except Exception as error:  # generated code may fail in any way, which is what is to be found out
        return f"{type(error).__name__}: {error}"
    return _arrays(module, wanted, net) or _shapes(module, net) or "agrees"


def _of_code(error: Exception) -> bool:
    """Does the generated code itself raise it?"""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_filename.startswith("<netspec_")


def _arrays(module: Any, wanted: Spelling, net: CheckedNet) -> str:
    """What is wrong with the arrays of a module, if anything is."""
    shapes = wanted.shapes
    found = {n: tuple(t.shape) for n, t in module.state_dict().items() if not is_counter(n)}
    # a framework may keep a bias in two parts
    twice = sum(prod(shapes[held.plus]) for held in wanted.held if held.plus)
    count = sum(prod(tuple(p.shape)) for p in module.parameters()) - twice
    counts = "" if count == net.totals.params else f"{count:,} parameters for {net.totals.params:,}; "
    if found == shapes:
        return counts
    odd, kept = [n for n in shapes if n not in found], [n for n in found if n not in shapes]
    if odd and kept and not counts and list(found.values()) == list(shapes.values()):
        return f"names: `{kept[0]}` for `{odd[0]}`, shapes are the same"
    first = next((n for n in shapes if n in found and found[n] != shapes[n]), "")
    if first:
        return f"{counts}`{first}` is {list(found[first])} for {list(shapes[first])}"
    return f"{counts}only one has `{[*odd, *kept][0]}`"


def _shapes(module: Any, net: CheckedNet) -> str:
    """What is wrong with the shapes of what comes out, if anything is."""
    torch = import_torch()
    sizes = sizes_that_fit(net, 1)[0]
    told = [_first(substituted(out.value.shape, sizes)) for out in net.net.body.outputs]
    try:
        with torch.device("meta"), torch.no_grad():
            given = [_tensor(torch, port, sizes) for port in net.net.body.inputs]
            found = module(*given)
    except NotImplementedError:
        return ""  # a layer that asks for numbers
    except Exception as error:  # as above
        return f"{type(error).__name__} in forward: {error}"
    shapes = [tuple(out.shape[1:]) for out in (found if isinstance(found, tuple) else (found,))]
    return "" if shapes == told else f"outputs {[list(s) for s in shapes]} for {[list(s) for s in told]}"


def substituted(shape: Sequence[Any], sizes: Mapping[str, int]) -> tuple[int, ...]:
    found = (substitute(d, sizes) for d in shape)
    return tuple(d if isinstance(d, int) else sizes[str(d)] for d in found)


def _first(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if len(shape) < 3 else (shape[-1], *shape[:-1])


def _tensor(torch: Any, port: Any, sizes: Mapping[str, int]) -> Any:
    shape = (2, *_first(substituted(port.value.shape, sizes)))
    kinds = {"i": torch.int64, "b": torch.bool}
    return torch.zeros(shape, dtype=kinds.get(port.value.dtype[0], torch.float32))


# --- the run ---------------------------------------------------------------------------------------------------------


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.settings", description=__doc__)
    parser.add_argument("--only", metavar="SPEC", nargs="+", help="these of the zoo, or these files (default: the zoo)")
    parser.add_argument("--values", type=int, default=6, help="the most values of an argument (default: 6)")
    parser.add_argument("--out", type=Path, help="write the disagreements to this file as well")
    options = parser.parse_args(words)
    start, tally = time.perf_counter(), Counter[str]()
    wrong: list[Finding] = []
    for name in options.only or zoo_names():
        source = read_source(name if name.endswith(".net") else ZOO + name)
        arguments_seen = set()
        for finding in judged(source, options.values):
            arguments_seen.add(finding.argument)
            kind = finding.verdict.partition(":")[0]
            tally["values"] += 1
            tally["refused"] += kind == "refused"
            if kind not in ("agrees", "refused", "no form"):
                wrong.append(finding)
                print(finding, flush=True)
        tally["specs"] += 1
        tally["arguments"] += len(arguments_seen)
    told = ", ".join(f"{tally[k]} {k}" for k in ("specs", "arguments", "values", "refused"))
    summary = f"{told}, {len(wrong)} disagreements in {time.perf_counter() - start:.0f} s"
    print(summary)
    if options.out:
        options.out.write_text("".join(f"{line}\n" for line in (*wrong, summary)), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
