import torch


def causal_mask(query, key):
    """True where a value is behind the place of a query, which does not see it."""
    shape = query.shape[-2], key.shape[-2]
    return torch.ones(shape, dtype=torch.bool, device=query.device).triu(1)
