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
