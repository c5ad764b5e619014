import torch
from torch import nn


def causal_mask(query, key):
    """True where a value is behind the place of a query, which does not see it."""
    shape = query.shape[-2], key.shape[-2]
    return torch.ones(shape, dtype=torch.bool, device=query.device).triu(1)


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.MultiheadAttention):
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
        self.multihead_attention2 = nn.MultiheadAttention(6, 2, batch_first=True)
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
        x2 = x.flatten(0, 1)
        ahead = self.multihead_attention2(
            x2,
            x2,
            x2,
            need_weights=False,
            attn_mask=causal_mask(x2, x2),
        )[0].unflatten(0, (-1, 2))
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
