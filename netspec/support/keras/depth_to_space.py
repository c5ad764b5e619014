from keras import layers, ops


class DepthToSpace(layers.Layer):
    """Unfold channels into blocks of cells; each cell keeps its channels together."""

    def __init__(self, block, **kwargs):
        super().__init__(**kwargs)
        self.block = block

    def call(self, x):
        n, *sizes, c = ops.shape(x)
        rank, block = len(sizes), self.block
        x = ops.reshape(x, (n, *sizes, *[block] * rank, c // block**rank))
        pairs = [axis for i in range(1, rank + 1) for axis in (i, rank + i)]
        x = ops.transpose(x, (0, *pairs, 2 * rank + 1))
        return ops.reshape(x, (n, *(size * block for size in sizes), c // block**rank))

    def get_config(self):
        return {**super().get_config(), "block": self.block}
