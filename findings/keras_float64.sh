#!/usr/bin/env bash
# Keras 3.15.1 with `floatx` float64 on PyTorch 2.13.0 or JAX 0.10.2 (with `jax_enable_x64`): `ops.mean`, and with it global
# pooling and the normalisations, is computed in float32 and comes back as float64. `ops.var`, and on PyTorch `ops.matmul`, are
# float32. The cause: `keras.backend.result_type` knows float64 on TensorFlow alone. `ops.sum` is right.
# Guess before the run: all results keep the type float64. `var` and `matmul` do not.
. "$(dirname "$0")/common.sh"
install keras==3.15.1 torch==2.13.0 jax==0.10.2
cat > "$folder/finding.py" <<'CODE'
import keras
import numpy as np

keras.config.set_floatx("float64")
torch = keras.backend.backend() == "torch"
if not torch:
    import jax

    jax.config.update("jax_enable_x64", True)
x = np.random.default_rng(0).normal(size=(3, 8, 8, 4))
w = np.random.default_rng(1).normal(size=(4, 3))
given, ops = keras.ops.convert_to_tensor(x), keras.ops
dense = keras.layers.Dense(3)
dense.build(x.shape)
dense.set_weights([w, np.zeros(3)])
cases = {
    "ops.sum": (ops.sum(given, 1), x.sum(1), "float64", True),
    "ops.mean": (ops.mean(given, 1), x.mean(1), "float64", False),
    "ops.var": (ops.var(given, 1), x.var(1), "float32", False),
    "ops.matmul": (ops.matmul(given, w), x @ w, "float32" if torch else "float64", not torch),
    "Dense": (dense(given), x @ w, "float64", not torch),
    "GlobalAveragePooling2D": (keras.layers.GlobalAveragePooling2D()(given), x.mean((1, 2)), "float64", False),
}
assert keras.backend.standardize_dtype(given.dtype) == "float64"
assert keras.backend.result_type("float64", "float64") == "float32"
for name, (found, wanted, type_, exact) in cases.items():
    found = ops.convert_to_numpy(found)
    off = abs(found - wanted).max()
    print(f"{keras.backend.backend()}: {name}: {found.dtype}, off by {off:.0e}")
    assert found.dtype == type_ and (off < 1e-14 if exact else 1e-9 < off < 1e-5)
CODE
for backend in torch jax; do KERAS_BACKEND=$backend "$folder/venv/bin/python" -W ignore "$folder/finding.py"; done
