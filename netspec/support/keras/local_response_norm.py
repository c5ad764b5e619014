from keras import layers, ops


class LocalResponseNorm(layers.Layer):
    """Divide each number by a power of the mean square of its neighbours among the channels."""

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def call(self, x):
        around = [self.size // 2, (self.size - 1) // 2]
        squares = ops.pad(ops.square(x), [[0, 0]] * (len(x.shape) - 1) + [around])
        end = 1 - self.size
        total = sum(squares[..., i : i + end or None] for i in range(self.size))
        return x / (self.k + self.alpha / self.size * total) ** self.beta

    def get_config(self):
        names = ("size", "alpha", "beta", "k")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
