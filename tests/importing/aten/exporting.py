"""Modules through `torch.export.save` and back, as the neutral graph."""

from __future__ import annotations

import warnings

import torch

from netspec.importing.aten.reading import read_pt2

AUTO = torch.export.Dim.AUTO


def imported(module, inputs, folder, *, fixed=False, strict=False, core=False, axes=((0,),)):
    """The graph of a module; `axes` are those of each input whose sizes are left open."""
    open_axes = tuple(dict.fromkeys(axes[min(k, len(axes) - 1)], AUTO) for k in range(len(inputs)))
    path = folder / "model.pt2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shapes = None if fixed else open_axes
        program = torch.export.export(module.eval(), tuple(inputs), dynamic_shapes=shapes, strict=strict)
        torch.export.save(program.run_decompositions() if core else program, path)
    return read_pt2(str(path))
