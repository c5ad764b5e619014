"""Which test files look at which folder of `netspec/`, those first that are quick and likely to find a bug there."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# "" stands for the modules beside the folders. These load no framework
QUICK = {
    "": "expressions limits reference imports spellings vocabulary cases language codes interrupts",
    "analysis": "figures fields sequential step_macs limits cases language codes",
    "base": "dims limits reading render cases language codes interrupts",
    "cli": "forms inert renaming lines cli docs imports zoo",
    "diagram": "figures draw pictures diagrams cases inert cli docs",
    "elaborate": (
        "reading limits expressions symbolic_sizes sequential step_macs vocabulary cases language codes imports "
        "messages draw"
    ),
    "codegen": "axes cases forms cli docs comparing",
    "importing": "readers writer",
    "ir": "figures sequential step_macs renaming reference cases",
    "layers": (
        "layer_examples spellings fields other_ops sequential reference cases codes vocabulary language draw comparing"
    ),
    "pycode": "pycode cases forms",
    "report": "figures cases inert cli docs",
    "resolve": "imports spellings vocabulary cases language codes",
    "runtime": "models comparing",
    "support": "floors",
    "syntax": "reading limits messages forms vocabulary cases codes imports language docs lines syntax fmt",
    "verify": "comparing further cli",
    "weights": "renaming spellings comparing reference cli",
}
# and these run PyTorch and Keras
FRAMEWORKS = {
    "": "api sizes nets frozen",
    "analysis": "sizes nets frozen",
    "base": "api sizes nets",
    "cli": "verify weights",
    "diagram": "api",
    "elaborate": "cells each_step padding nets own_weights",
    "codegen": "golden_code layouts constructors keras_styles build nets cells",
    "importing": "keras",
    "ir": "frozen nets cells weights",
    "layers": "layers recurrence windows initialisers conv_lstm",
    "pycode": "golden_code build",
    "report": "api",
    "resolve": "nets",
    "runtime": "verify weights",
    "support": "support golden_code",
    "syntax": "nets",
    "verify": "verify settings",
    "weights": "weights padding regularization",
}


def files(folder: str, frameworks: bool) -> list[str]:
    """The test files for a folder, in the order in which they are to be run."""
    words = FRAMEWORKS[folder] if frameworks else QUICK[folder]
    found = {path.stem.removeprefix("test_"): path for path in ROOT.glob("tests/*/test_*.py")}
    return [str(found[word].relative_to(ROOT)) for word in words.split()]
