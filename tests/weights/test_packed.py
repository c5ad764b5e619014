"""Names that do not hang on options without weights, and attentions whose projections are packed or apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_handwritten import CLOSE, Carried, Nested, fill, last, off
from torch import nn

import netspec


class Apart(nn.Module):
    """Attention of two heads with a layer for each projection, as in many published models."""

    def __init__(self, names=("query", "key", "value"), out="output", causal=False):
        super().__init__()
        self.names, self.out, self.causal = names, out, causal
        for name in (*names, out):
            setattr(self, name, nn.Linear(8, 8))

    def forward(self, x):
        q, k, v = (getattr(self, name)(x).unflatten(-1, (2, 4)).transpose(1, 2) for name in self.names)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return getattr(self, self.out)(y.transpose(1, 2).flatten(2))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("names", "out"), [(("query", "key", "value"), "output"), (("q_proj", "k_proj", "v_proj"), "out_proj")]
)
def test_projections_apart_for_packed_ones(names, out, causal, tmp_path):
    spec = f"net n {{ input x [5, 8]; multihead_attention(2, causal={str(causal).lower()}) as a }}"
    module = Nested(lambda m, x: m.a(x), a=Apart(names, out, causal))
    assert Carried(spec, module, [torch.randn(2, 5, 8)], tmp_path).in_numpy() < CLOSE


def test_packed_projections_for_those_apart(tmp_path):
    spec = """net n {
      input x [5, 8]
      q = x -> dense(8) as query
      k = x -> dense(8) as key
      v = x -> dense(8) as value
      attention(q, v, k, scale=8**-0.5) -> dense(8) as out_proj
    }"""

    class Packed(nn.MultiheadAttention):
        def forward(self, x):
            return super().forward(x, x, x)[0]

    module = Packed(8, 1, batch_first=True)
    assert Carried(spec, module, [torch.randn(2, 5, 8)], tmp_path).in_numpy() < CLOSE


def test_a_part_that_is_missing_is_told(tmp_path):
    net = netspec.parse("net n { input x [5, 8]; multihead_attention(2) as a }")
    arrays = Nested(lambda m, x: m.a(x), a=Apart()).state_dict()
    del arrays["a.value.weight"]
    torch.save(arrays, tmp_path / "weights.pth")
    with pytest.raises(ValueError, match=r"`a\.in_proj_weight` .* is missing"):
        net.load_weights(tmp_path / "weights.pth")


RECURRENT = {
    "lstm(4, {})": (nn.LSTM, {}),
    "gru(4, {})": (nn.GRU, {}),
    "bidirectional(lstm(4, {}))": (nn.LSTM, {"bidirectional": True}),
    "stack(2, lstm(4, {}))": (nn.LSTM, {"num_layers": 2}),
    "stack(2, bidirectional(gru(4, {})))": (nn.GRU, {"num_layers": 2, "bidirectional": True}),
}


@pytest.mark.parametrize(
    "option", ["dropout=0.2", "recurrent_dropout=0.3", "stateful=true", "dropout=0.1, stateful=true"]
)
@pytest.mark.parametrize("layer", RECURRENT)
def test_options_without_weights_change_no_name(layer, option, tmp_path):
    """A file of PyTorch's own layer is read, whatever code there is for the option."""
    kind, words = RECURRENT[layer]
    spec = f"net n {{ input x [7, 3]; {layer.format(option + ', return=sequence')} as l }}"
    module = Nested(lambda m, x: m.l(x)[0], l=kind(3, 4, batch_first=True, **words))
    assert Carried(spec, module, [torch.randn(2, 7, 3)], tmp_path).in_numpy() < CLOSE


@pytest.mark.parametrize("option", ["dropout=0.2", "stateful=true", "mask=m", "dropout=0.1, stateful=true", "causal"])
def test_the_names_in_generated_code_are_those_of_pytorch(option):
    layer = f"lstm(4, {option})" if option != "causal" else "multihead_attention(2, causal=true)"
    mask = "; input m [7] bool" if "mask" in option else ""
    net = netspec.parse(f"net n {{ input x [7, 4]{mask}; x -> {layer} as l }}")
    own = nn.LSTM(4, 4) if option != "causal" else nn.MultiheadAttention(4, 2)
    assert set(net.torch().state_dict()) == {f"l.{name}" for name in own.state_dict()}


@pytest.mark.parametrize("around", ["layer.", "layer.layer."])
def test_files_of_earlier_code_are_read(around, tmp_path):
    """Dropout, and a state that is kept, were modules around the layer."""
    net = netspec.parse("net n { input x [7, 3]; lstm(4, dropout=0.2, stateful=true) as l }")
    own = fill(nn.LSTM(3, 4, batch_first=True))
    torch.save({f"l.{around}{name}": array for name, array in own.state_dict().items()}, tmp_path / "weights.pth")
    x = torch.randn(2, 7, 3)
    got = net.reference(net.load_weights(tmp_path / "weights.pth"))(x.numpy())
    assert off(last(own(x)[0][:, -1]), got) < CLOSE


def test_a_kept_state_and_dropped_inputs():
    """The hooks do what modules around the layer did."""
    net = netspec.parse("net n { input x [7, 3]; lstm(4, dropout=0.5, stateful=true, return=sequence) as l }")
    module = net.torch().eval()
    x = torch.randn(2, 7, 3)
    one, two = module(x), module(x)
    plain = nn.LSTM(3, 4, batch_first=True)
    plain.load_state_dict({name.removeprefix("l."): array for name, array in module.state_dict().items()})
    first, state = plain(x)
    torch.testing.assert_close(one, first)
    torch.testing.assert_close(two, plain(x, state)[0])
    torch.manual_seed(0)
    fresh = net.torch().train()
    assert not np.allclose(fresh(x).detach(), fresh.eval()(x).detach())
