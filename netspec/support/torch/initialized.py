def initialized(module, fill, *names):
    """Note that weights of a module begin in a way of their own."""
    fills = [(name, fill) for name in names or ("weight",)]
    module.fills = [*getattr(module, "fills", ()), *fills]
    return module
