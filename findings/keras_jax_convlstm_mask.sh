#!/usr/bin/env bash
# Keras 3.15.1 on JAX 0.10.2: `ConvLSTM1D`, `2D` and `3D` with a mask. The loop over time puts the mask of the samples, `(N, 1)`,
# beside maps `(N, H, W, C)` as it is, so that it counts along rows: with as many rows as samples the numbers are wrong without a
# word, with others the call is refused. `unroll=True` takes another way, in which the mask is expanded, and is right; so are
# TensorFlow and PyTorch below Keras.
. "$(dirname "$0")/common.sh"
install keras==3.15.1 jax==0.10.2
export KERAS_BACKEND=jax
run <<'CODE'
import keras
import numpy as np

rng = np.random.default_rng(0)


def pair(rank, samples):
    """A layer in a loop and the same unrolled, with their input and a mask."""
    keras.utils.set_random_seed(0)
    make = getattr(keras.layers, f"ConvLSTM{rank}D")
    layers = [make(2, 2, unroll=unroll) for unroll in (False, True)]
    x = rng.standard_normal((samples, 3, *(4,) * rank, 1)).astype("float32")
    for layer in layers:
        layer.build(x.shape)
    layers[1].set_weights(layers[0].get_weights())
    mask = np.ones((samples, 3), bool)
    mask[0, 1:] = False
    return layers, x, mask


for rank in (1, 2, 3):
    (loop, unrolled), x, mask = pair(rank, 3)  # maps of 3 rows come out of 4 by a kernel of 2
    np.testing.assert_allclose(loop(x), unrolled(x), atol=1e-6)
    wanted, found = unrolled(x, mask=mask), loop(x, mask=mask)
    # what is masked is as if it had not been
    np.testing.assert_allclose(wanted[:1], unrolled(x[:1, :1]), atol=1e-6)
    away = float(abs(found - wanted).max())
    (loop, _), x, mask = pair(rank, 5)
    try:
        loop(x, mask=mask)
    except ValueError as error:
        said = next(line[line.find("Incomp") :].split("\x1b")[0] for line in str(error).splitlines() if "Incomp" in line)
    print(f"ConvLSTM{rank}D: 3 samples, maps of 3: off by {away:.2f}; 5 samples: {said}")
    assert away > 0.01
CODE
