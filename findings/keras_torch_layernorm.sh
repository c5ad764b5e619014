#!/usr/bin/env bash
# Keras 3.15.1 on PyTorch 2.13.0: LayerNormalization(axis=1) normalises the last axis where the sizes of both agree, and
# raises where they do not. What the documentation says of axis=1 is worked out with NumPy beside it.
# Guess before the run: it raises in both cases.
. "$(dirname "$0")/common.sh"
install keras==3.15.1 torch==2.13.0
export KERAS_BACKEND=torch
run <<'CODE'
import keras
import numpy as np

x = np.random.default_rng(0).standard_normal((2, 4, 4)).astype("float32")


def normed(axis):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-3)


found = keras.ops.convert_to_numpy(keras.layers.LayerNormalization(axis=1)(x))
off, like_last = abs(found - normed(1)).max(), abs(found - normed(2)).max()
print(f"axis=1 on (2, 4, 4): {off:.2f} from the mean over axis 1, {like_last:.1e} from that over axis 2")
assert off > 0.5 and like_last < 1e-5
try:
    keras.layers.LayerNormalization(axis=1)(x[..., :3])
except RuntimeError as error:
    print("axis=1 on (2, 4, 3): RuntimeError,", str(error).splitlines()[-1][:60])
else:
    raise SystemExit("axis=1 on (2, 4, 3) is done now")
CODE
