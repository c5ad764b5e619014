def split_state(state, count):
    """The states of several layers, of which `state` is one behind the other."""
    if state is None:
        return [None] * count
    if isinstance(state, tuple):
        return list(zip(*(part.chunk(count) for part in state)))
    return state.chunk(count)
