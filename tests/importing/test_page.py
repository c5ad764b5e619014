"""What docs/from_keras.md says of a layer is what becomes of it."""

from __future__ import annotations

import re
from pathlib import Path

import harness  # noqa: F401  # first: it chooses the Keras backend
import keras
import pytest
from keras import layers, ops

from netspec.importing.keras_file import keras_model
from netspec.importing.writer import write_spec

PAGE = Path(__file__).parents[2] / "docs" / "from_keras.md"
ROWS = re.findall(r"^\| `(layers\.[^`]*)`[^`|]*\| `([^`]*)` \|$", PAGE.read_text(), re.MULTILINE)
# what a layer takes that is not made for images
SHAPES = {"Embedding": (None,), "Bidirectional": (7, 5), "LSTM": (7, 5), "GRU": (7, 5), "MultiHead": (7, 512)}
SHAPES["TimeDistributed"] = (4, 9, 9, 3)
NAMES = {"x": "x", "scale": "y", "a": "x", "b": "y"}


def test_there_are_rows():
    assert len(ROWS) > 12


@pytest.mark.parametrize(("code", "said"), ROWS, ids=[code for code, _ in ROWS])
def test_a_row(code, said):
    keras.utils.clear_session()
    kind = re.match(r"layers\.(\w+)", code)[1]
    shape = next((shape for name, shape in SHAPES.items() if kind.startswith(name)), (8, 8, 64))
    x = keras.Input(shape, name="x", dtype="int32" if kind == "Embedding" else None)
    y = keras.Input(shape, name="y")
    called = (code.endswith(("])", "=True)")) and "(x, x" in code) or code.endswith("])")
    found = eval(code, {"layers": layers, "ops": ops, "x": x, "y": y, "scale": y, "a": x, "b": y})
    results = found if called else found(x)
    joins = any(name in code for name in ("[x, y]", "scale]", "[a, b]"))
    text = write_spec(keras_model(keras.Model([x, y] if joins else x, results))).text
    wanted = re.sub(r"\b(scale|a|b)\b(?!\()", lambda m: NAMES[m[1]], said) if joins else said
    assert " ".join(wanted.split()).replace("y, h, c = ", "") in " ".join(text.split()), text
