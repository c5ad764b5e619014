import torch.nn.functional as F


def same_pad(x, kernel_size, stride, value=0.0):
    """Pad so that a window gives ceil(n / stride), the odd cell at the end."""
    sizes = x.shape[2:]
    kernel_size, stride = (
        n if isinstance(n, tuple) else (n,) * len(sizes) for n in (kernel_size, stride)
    )
    amounts = []
    for n, k, s in zip(reversed(sizes), reversed(kernel_size), reversed(stride)):
        total = max((n - 1) // s * s + k - n, 0)
        amounts += [total // 2, total - total // 2]
    return F.pad(x, amounts, value=value)
