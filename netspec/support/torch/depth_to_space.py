def depth_to_space(x, block):
    """Unfold channels into blocks of cells; each cell keeps its channels together."""
    n, c, *sizes = x.shape
    rank = len(sizes)
    x = x.reshape(n, *[block] * rank, c // block**rank, *sizes)
    pairs = [axis for i in range(rank) for axis in (rank + 2 + i, 1 + i)]
    x = x.permute(0, rank + 1, *pairs)
    return x.reshape(n, -1, *(size * block for size in sizes))
