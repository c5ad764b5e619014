from torch import nn


def frozen(module):
    """Hold a module still: its weights, and in training too the running statistics of its batch norms."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            norm.register_forward_pre_hook(keep_statistics)
    return module.requires_grad_(False)


def keep_statistics(norm, _inputs):
    """A batch norm whose weights are held still works as in inference."""
    if not any(p.requires_grad for p in norm.parameters()):
        norm.eval()
