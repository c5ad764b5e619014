"""Which test files look at which folder of `netspec/`, those first that are quick and likely to find a bug there."""

from __future__ import annotations

# "" stands for the modules beside the folders. These load no framework
QUICK = {
    "": (
        "dims pycode figures limits fields sequential step_macs reading reference render imports spellings vocabulary "
        "cases language codes interrupts"
    ),
    "cli": "forms inert renaming lines cli docs imports zoo",
    "elaborate": (
        "reading limits expressions symbolic_sizes sequential step_macs vocabulary cases language codes imports "
        "messages draw"
    ),
    "emit": "axes figures draw pictures diagrams cases forms inert cli docs comparing",
    "layers": (
        "layer_examples spellings fields other_ops sequential reference cases codes vocabulary language draw comparing"
    ),
    "models": "models comparing",
    "syntax": "reading limits messages forms vocabulary cases codes imports language docs lines syntax fmt",
    "verify": "comparing further cli",
    "weights": "renaming spellings comparing reference cli",
}
# and these run PyTorch and Keras
FRAMEWORKS = {
    "": "api sizes nets frozen",
    "cli": "verify weights",
    "elaborate": "cells each_step padding nets own_weights",
    "emit": "golden_code layouts constructors keras_styles build nets cells",
    "layers": "layers recurrence windows initialisers conv_lstm",
    "models": "verify weights",
    "syntax": "nets",
    "verify": "verify settings",
    "weights": "weights padding regularization",
}


def files(folder: str, frameworks: bool) -> list[str]:
    """The test files for a folder, in the order in which they are to be run."""
    words = FRAMEWORKS[folder] if frameworks else QUICK[folder]
    return [f"tests/test_{word}.py" for word in words.split()]
