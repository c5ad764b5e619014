"""What is frozen has no trainable weights in either framework, whatever kind of layer it is."""

import numpy as np
import pytest
import twins
from checking import check

from netspec.layers import LAYERS
from netspec.weights import samples

# for each layer with weights the first example that both frameworks have
EXAMPLES = {kind: next((e for e in cls.examples if e.weights and not e.refused), None) for kind, cls in LAYERS.items()}


def frozen_net(kind, example):
    shapes = example.shape if example.shape and isinstance(example.shape[0], tuple) else (example.shape,)
    names = [f"x{k}" for k in range(len(shapes))]
    dtype = f" int({example.vocabulary})" if example.vocabulary else ""
    inputs = [f"  input {n} [{', '.join(map(str, shape))}]{dtype}" for n, shape in zip(names, shapes)]
    _, bracket, rest = example.code.partition("(")
    arguments = ", ".join([*(names if len(names) > 1 else []), *([rest[:-1]] if bracket else []), "frozen=true"])
    return check("\n".join(["net still {", *inputs, f"  {kind}({arguments})", "}"]))


@pytest.mark.parametrize("kind", [kind for kind, example in EXAMPLES.items() if example is not None])
def test_frozen_layers_have_nothing_to_learn(kind):
    net = frozen_net(kind, EXAMPLES[kind])
    assert net.ok, net.diagnostics
    assert net.totals.trainable == 0 < net.totals.params
    twins.models(net, samples.random_inputs(net, np.random.default_rng(0), 2, {}))


NESTED = """
block tower { input x [..., c]; conv(c, 1, activation=tanh) }
block unit { repeat 2 { tower; concat(identity, identity) }; multihead_attention(2) }
block outer { unit as inner }
net still {
  input x [5, 2]
  outer(frozen=true) -> dense(3)
}
"""


@pytest.mark.parametrize("style", ["functional", "subclass"])
def test_layers_that_are_made_late_are_held_still_too(style):
    net = check(NESTED)
    assert net.totals.params > net.totals.trainable == 27
    twins.models(net, [np.ones((2, 5, 2), np.float32)], style)
