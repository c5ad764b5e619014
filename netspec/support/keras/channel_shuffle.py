from keras import layers, ops


class ChannelShuffle(layers.Layer):
    """Deal the channels of the groups out in turn."""

    def __init__(self, groups, **kwargs):
        super().__init__(**kwargs)
        self.groups = groups

    def call(self, x):
        *outer, c = ops.shape(x)
        x = ops.reshape(x, (*outer, self.groups, c // self.groups))
        return ops.reshape(ops.swapaxes(x, -1, -2), (*outer, c))

    def get_config(self):
        return {**super().get_config(), "groups": self.groups}
