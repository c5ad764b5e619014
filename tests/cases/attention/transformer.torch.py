import torch
import torch.nn.functional as F
from torch import nn


def causal_mask(query, key):
    """True where a value is behind the place of a query, which does not see it."""
    shape = query.shape[-2], key.shape[-2]
    return torch.ones(shape, dtype=torch.bool, device=query.device).triu(1)


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
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.uniform_(module.weight, -0.05, 0.05)
    elif isinstance(module, nn.MultiheadAttention):
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
        self.multihead_attention1 = nn.MultiheadAttention(
            x_channels,
            8,
            dropout=0.1,
            batch_first=True,
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
        y = self.multihead_attention1(
            x,
            x,
            x,
            need_weights=False,
            attn_mask=causal_mask(x, x),
        )[0]
        said = self.said(x + y)
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
