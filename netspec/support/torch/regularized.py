def regularized(module, *names, l1=0.0, l2=0.0):
    """Note that weights of a module add l1 * sum(|w|) + l2 * sum(w**2) to the loss."""
    module.penalties = [(name, l1, l2) for name in names or ("weight",)]
    return module


def penalty(module):
    """What a module itself adds to the loss; weights that are held still add nothing."""
    total = 0.0
    for name, l1, l2 in getattr(module, "penalties", ()):
        weight = module.get_parameter(name)
        if weight.requires_grad:
            total = total + l1 * weight.abs().sum() + l2 * weight.square().sum()
    return total
