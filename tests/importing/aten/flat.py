"""An imported model as a plain spec, one line a step, and the reference held against the module it was read from."""

from __future__ import annotations

import numpy as np

import netspec
from netspec.importing.graph import ValueRef
from netspec.layers.arguments import describe
from netspec.layers.base import LAYERS
from netspec.layers.signs import ARITHMETIC, COMPARISONS

SIGNS = {**ARITHMETIC, **COMPARISONS}
_TYPES = {"float32": "", "bool": " bool"}


def _text(value):
    if isinstance(value, ValueRef):
        return f"v{value.number}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_text, value)) + ("," if len(value) == 1 else "") + ")"
    if hasattr(value, "kind"):
        return f"{LAYERS[value.kind].word}({_arguments(value.kind, value.args)})"
    return describe(value) if not isinstance(value, float) else repr(value)


def _arguments(kind, args):
    gathers = LAYERS[kind].gathers
    return ", ".join(
        ", ".join(map(_text, value))
        if name == gathers and isinstance(value, tuple)
        else f"{name}={_text(value)}"
        if name
        else _text(value)
        for name, value in args
    )


def _item(item):
    if isinstance(item, slice):
        return ":".join(
            "" if n is None else str(n)
            for n in ((item.start, item.stop) if item.step is None else (item.start, item.stop, item.step))
        )
    return "..." if item is Ellipsis else str(item)


def line_of(step):
    names = [f"v{n}" for n in step.operands]
    results = ", ".join(f"v{n}" for n in step.results)
    if step.kind == "slice":
        return f"{results} = {names[0]}[{', '.join(map(_item, step.args[0][1]))}]"
    if step.kind in SIGNS:
        return f"{results} = {f' {step.kind} '.join(names)}"
    if step.kind == "weight":
        return f"weight {results} [{', '.join(map(str, step.args[1][1]))}]"
    said = _arguments(step.kind, step.args)
    if step.tensors:
        said = ", ".join([*([said] if said else []), f'name="v{step.results[0]}"'])
    call = f"{LAYERS[step.kind].word}({said})"
    if LAYERS[step.kind].arity == 1 and len(names) == 1:
        return f"{results} = {names[0]} -> {call}"
    return f"{results} = {LAYERS[step.kind].word}({', '.join([*names, *([said] if said else [])])})"


def spec_of(model):
    """A flat spec. A step that shares its tensors with another is a shared layer."""
    lines = []
    first = {}
    for step in model.steps:
        assert step.kind, f"not understood: {step.unknown}"
        line = line_of(step)
        if step.tensors and step.kind != "weight":
            if step.tensors in first:
                lines.append(f"v{step.results[0]} = v{step.operands[0]} -> shared{first[step.tensors].results[0]}")
                continue
            first[step.tensors] = step
            many = sum(s.tensors == step.tensors for s in model.steps)
            if many > 1:
                head, _, call = line.partition(" -> ")
                lines.append(f"layer shared{step.results[0]} = {call}")
                line = f"{head} -> shared{step.results[0]}"
        lines.append(line)
    weights = [line for line in lines if line.startswith("weight ")]
    rest = [line for line in lines if not line.startswith("weight ")]
    ports = [
        f"input v{p.number} [{', '.join(map(str, p.shape))}]{_TYPES.get(p.dtype, f' int({p.below or 1000000})')}"
        for p in model.inputs
    ]
    outs = ", ".join(f"o{n} = v{number}" for n, (_, number) in enumerate(model.outputs))
    return "net imported {\n  " + "\n  ".join([*ports, *weights, *rest, f"output {outs}"]) + "\n}\n"


def weights_of(net, model, state):
    """The weights of the flat spec from the tensors of the module."""
    from netspec.weights.targets import torch_target

    steps = {f"v{s.results[0]}": s for s in model.steps if s.tensors}
    spelling = torch_target(net.checked).spelling
    arrays = {}
    for held in spelling.held:
        owner, _, name = held.path.rpartition(".")
        step = steps[(owner or name).split(".")[0].replace("shared", "v")]
        if step.kind == "weight":
            arrays[held.key] = state[step.tensors[0][1]]
            continue
        name = held.path.split(".", 1)[1]
        found = [tensor for ours, tensor in step.tensors if ours == name]
        arrays[held.key] = state[found[0]]
        if held.plus:
            arrays[held.plus] = state[found[1]]
    return spelling.take(arrays)


def randomised(module, seed=0):
    """Random weights, and statistics of batch norms that are not those of the beginning."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    state = module.state_dict()
    for name, tensor in state.items():
        if tensor.dtype.is_floating_point and name.endswith(("running_var",)):
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
        elif tensor.dtype.is_floating_point and tensor.dim() < 2:
            tensor.add_(0.2 * torch.randn(tensor.shape, generator=generator))
    return module.eval()


def difference(model, module, inputs, text=None):
    """The largest difference of an output to the module's, over the largest number of that output."""
    import torch

    net = netspec.parse(text or spec_of(model))
    state = {n: t.detach().double().numpy() for n, t in module.double().state_dict().items()}
    module.double()
    given = [x.double() if x.dtype.is_floating_point else x for x in inputs]
    with torch.no_grad():
        wanted = module(*given)
    wanted = _listed(wanted)
    weights = weights_of(net, model, state)
    arrays = [x.numpy().transpose(0, *port.axes) for x, port in zip(given, model.inputs)]
    found = net.reference(weights).listed(*arrays)
    assert len(found) == len(wanted)
    worst = 0.0
    for ours, theirs, axes in zip(found, wanted, model.output_axes):
        batch = next(n for n in range(theirs.dim()) if n not in axes)
        theirs = theirs.numpy().transpose(batch, *axes)
        assert ours.shape == theirs.shape
        worst = max(worst, float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-12)))
    return net, worst


def _listed(found):
    if isinstance(found, dict):
        return [x for v in found.values() for x in _listed(v)]
    if isinstance(found, tuple | list):
        return [x for v in found for x in _listed(v)]
    return [found]
