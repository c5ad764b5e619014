def space_to_depth(x, block):
    """Fold blocks of cells into the channels; each cell keeps its channels together."""
    n, c, *sizes = x.shape
    rank = len(sizes)
    x = x.reshape(n, c, *(part for size in sizes for part in (size // block, block)))
    outer, inner = range(2, 2 * rank + 2, 2), range(3, 2 * rank + 2, 2)
    return x.permute(0, *inner, 1, *outer).flatten(1, rank + 1)
