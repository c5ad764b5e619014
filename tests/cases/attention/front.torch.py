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


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.MultiheadAttention | MultiHeadAttention):
        for name, parameter in module.named_parameters():
            if name.endswith("weight"):
                nn.init.normal_(parameter, std=0.02)


class Front(nn.Module):
    """Sequences side by side: what stands in front of them is gone through place by
    place

    Takes x (N, C, H, W) and memory (N, C, H, W) and gives own (N, C, H, W), ahead
    (N, C, H, W) and both (N, C, H, W).
    """

    def __init__(self):
        super().__init__()
        self.multihead_attention1 = nn.MultiheadAttention(6, 2, batch_first=True)
        self.multihead_attention2 = MultiHeadAttention(6, 2, 3, causal=True)
        self.multihead_attention3 = nn.MultiheadAttention(
            6,
            3,
            kdim=3,
            vdim=3,
            batch_first=True,
        )
        self.apply(init_weights)

    def forward(self, x, memory):
        x = x.permute(0, 2, 3, 1)
        x2 = x.flatten(0, 1)
        own = self.multihead_attention1(x2, x2, x2, need_weights=False)[0].unflatten(
            0,
            (-1, 2),
        )
        ahead = self.multihead_attention2(x)  # 2 x 5 x 6
        y = memory.permute(0, 2, 3, 1)
        x2 = x.flatten(0, 1)
        x = y.flatten(0, 1)
        both = self.multihead_attention3(x2, x, x, need_weights=False)[0].unflatten(
            0,
            (-1, 2),
        )
        x = own.permute(0, 3, 1, 2)
        x2 = ahead.permute(0, 3, 1, 2)
        x3 = both.permute(0, 3, 1, 2)
        return x, x2, x3
