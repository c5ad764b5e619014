#!/usr/bin/env bash
# Keras 3.15.1 on JAX 0.10.2: a recurrence with `stateful=True` forgets its state in `predict`, `fit` and `evaluate`: each batch
# begins with zeros, and after it the state is zeros. Calling the model keeps it. No word is said. `run_eagerly=True` changes
# nothing. The cause: the state is no variable of the layer, so that what JAX computes of it is lost.
# Guess before the run: the state is carried from batch to batch, and only callbacks see an old one.
. "$(dirname "$0")/common.sh"
install keras==3.15.1 jax==0.10.2
export KERAS_BACKEND=jax
run <<'CODE'
import keras
import numpy as np

keras.utils.set_random_seed(0)
x, y = np.ones((8, 3, 4), "float32"), np.ones((8, 5), "float32")


def state(layer):
    return float(abs(keras.ops.convert_to_numpy(layer.states[0])).sum())


for kind in keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN:
    layer = kind(5, stateful=True)
    model = keras.Sequential([keras.Input(batch_shape=(2, 3, 4)), layer])
    for eagerly in False, True:
        model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=eagerly)
        found = model.predict(x, batch_size=2, verbose=0)[::2, 0]
        model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
        model.evaluate(x, y, batch_size=2, verbose=0)
        assert state(layer) == 0
        assert (found == found[0]).all()
    called = [float(model(x[:2])[0, 0]) for _ in range(4)]
    print(f"{kind.__name__}: four batches of ones: predict {found.round(3)}, called {np.round(called, 3)}")
    np.testing.assert_allclose(found[0], called[0], rtol=1e-5)
    assert len(set(np.round(called, 4))) == 4 and state(layer) > 0
    assert not any(v is s for v in model.variables for s in layer.states)
CODE
