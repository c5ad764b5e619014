import torch


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
