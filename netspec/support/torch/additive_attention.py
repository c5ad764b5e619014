import torch
from torch import nn


class AdditiveAttention(nn.Module):
    """Attention with the score v . tanh(W query + U key). Bahdanau et al. (2014)."""

    def __init__(self, query_size, key_size, units, bias=False, causal=False):
        super().__init__()
        self.causal = causal
        self.query = nn.Linear(query_size, units, bias=bias)
        self.key = nn.Linear(key_size, units, bias=False)
        self.score = nn.Linear(units, 1, bias=False)

    def forward(self, query, value, key=None):
        key = value if key is None else key
        hidden = self.query(query).unsqueeze(-2) + self.key(key).unsqueeze(-3)
        scores = self.score(hidden.tanh()).squeeze(-1)
        if self.causal:
            later = torch.ones_like(scores, dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, float("-inf"))
        return scores.softmax(-1) @ value
