#!/usr/bin/env bash
# Keras 3.15.1 on PyTorch 2.13.0: AveragePooling with padding="same" counts a copy of the last cell where the padding is
# odd. Where it is even, no padding is counted. On 1, 1, 1, 3 a window of 4 gives 1, 1.5, 2, 2.5 for 1, 1.5, 1.67, 2.
# Guess before the run: every window that hangs over by an odd number of cells is off.
. "$(dirname "$0")/common.sh"
install keras==3.15.1 torch==2.13.0
export KERAS_BACKEND=torch
run <<'CODE'
import keras
import numpy as np

x = np.array([[[1.0], [1.0], [1.0], [3.0]]], "float32")


def pooled(size, stride):
    y = keras.layers.AveragePooling1D(size, strides=stride, padding="same")(x)
    return keras.ops.convert_to_numpy(y).ravel()


two, three, four = pooled(2, 1), pooled(3, 1), pooled(4, 1)
print("window 2:", two)  # one cell of padding, a copy of the only one in the window
print("window 3:", three)  # one on each side, not counted
print("window 4:", four)  # one before, two behind: copies are counted
assert np.allclose(two, [1, 1, 2, 3])
assert np.allclose(three, [1, 1, 5 / 3, 2])
assert np.allclose(four, [1, 1.5, 2, 2.5])  # of cells 0-2, 0-3, 1-3 and 2-3 it is 1, 1.5, 5/3, 2
CODE
