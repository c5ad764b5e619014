import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention of several heads. Vaswani et al. (2017), section 3.2."""

    def __init__(
        self,
        size,
        heads,
        key_size,
        kdim=None,
        vdim=None,
        bias=True,
        dropout=0.0,
        causal=False,
    ):
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.causal = causal
        inner = heads * key_size
        self.query = nn.Linear(size, inner, bias=bias)
        self.key = nn.Linear(kdim or size, inner, bias=bias)
        self.value = nn.Linear(vdim or size, inner, bias=bias)
        self.output = nn.Linear(inner, size, bias=bias)

    def forward(self, query, value=None, key=None):
        value = query if value is None else value
        key = value if key is None else key
        q = self.split(self.query(query))
        k = self.split(self.key(key))
        v = self.split(self.value(value))
        dropout = self.dropout if self.training else 0.0
        x = F.scaled_dot_product_attention(
            q, k, v, dropout_p=dropout, is_causal=self.causal
        )
        x = x.unflatten(0, query.shape[:-2])
        return self.output(x.transpose(-3, -2).flatten(-2))

    def split(self, x):
        """The heads as an axis behind that of the samples, which takes in all others."""
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2).flatten(0, -4)


def add_positions(x, base=10000.0):
    """Add sines and cosines of the position, each pair slower than the one before.

    Vaswani et al. (2017), section 3.5.
    """
    length, size = x.shape[-2:]
    exact = {"device": x.device, "dtype": torch.promote_types(x.dtype, torch.float32)}
    positions = torch.arange(length, **exact)
    exponents = torch.arange(0, size, 2, **exact) / size
    angles = torch.outer(positions, base**-exponents)
    table = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)
    return x + table[:, :size].to(x.dtype)


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.uniform_(module.weight, -0.05, 0.05)
    elif isinstance(module, nn.MultiheadAttention | MultiHeadAttention):
        for name, parameter in module.named_parameters():
            if name.endswith("weight"):
                nn.init.normal_(parameter, std=0.02)


class EncoderLayer(nn.Module):
    """Self-attention, then a net of two layers at each step; each is added to what came
    in
    """

    def __init__(self, in_channels, hidden):
        super().__init__()
        self.multihead_attention = nn.MultiheadAttention(
            in_channels,
            8,
            dropout=0.1,
            batch_first=True,
        )
        self.attended = nn.LayerNorm(in_channels)
        self.dense1 = nn.Linear(in_channels, hidden)
        self.dense2 = nn.Linear(hidden, in_channels)
        self.layernorm = nn.LayerNorm(in_channels)

    def forward(self, x):
        attended = x + self.multihead_attention(x, x, x, need_weights=False)[0]
        attended = self.attended(attended)
        y = F.relu(self.dense1(attended))
        return self.layernorm(attended + self.dense2(y))


class DecoderLayer(nn.Module):
    """The same with a look at the other text in between"""

    def __init__(self, x_channels, memory_channels, hidden):
        super().__init__()
        if x_channels % 8 != 0:
            raise ValueError("DecoderLayer is written for x_channels % 8 == 0")
        self.multihead_attention1 = MultiHeadAttention(
            x_channels,
            8,
            x_channels // 8,
            dropout=0.1,
            causal=True,
        )
        self.said = nn.LayerNorm(x_channels)
        self.multihead_attention2 = nn.MultiheadAttention(
            x_channels,
            8,
            dropout=0.1,
            kdim=memory_channels,
            vdim=memory_channels,
            batch_first=True,
        )
        self.asked = nn.LayerNorm(x_channels)
        self.dense1 = nn.Linear(x_channels, hidden)
        self.dense2 = nn.Linear(hidden, x_channels)
        self.layernorm = nn.LayerNorm(x_channels)

    def forward(self, x, memory):
        said = self.said(x + self.multihead_attention1(x))
        y = self.multihead_attention2(said, memory, memory, need_weights=False)[0]
        asked = self.asked(said + y)
        y = F.relu(self.dense1(asked))
        return self.layernorm(asked + self.dense2(y))


class Transformer(nn.Module):
    """Takes source (N, T) and target (N, T) and gives N, T, F."""

    def __init__(self, units=512, layers=2):
        super().__init__()
        self.words = nn.Embedding(37000, units)
        self.dropout1 = nn.Dropout(0.1)
        self.encoder_layers = nn.Sequential(
            *(EncoderLayer(units, 4 * units) for _ in range(layers)),
        )
        self.dropout2 = nn.Dropout(0.1)
        self.decoder_layers = nn.ModuleList(
            DecoderLayer(units, units, 4 * units) for _ in range(layers)
        )
        self.dense = nn.Linear(units, 37000)
        self.apply(init_weights)

    def forward(self, source, target):
        memory = self.words(source)  # S x 512
        memory = self.dropout1(add_positions(memory))  # S x 512
        memory = self.encoder_layers(memory)
        x = self.words(target)  # T x 512
        x = self.dropout2(add_positions(x))  # T x 512
        for decoder_layer in self.decoder_layers:
            x = decoder_layer(x, memory)  # T x 512
        return self.dense(x)  # T x 37000
