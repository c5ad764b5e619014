from keras import layers

from .length_of import length_of


class CutTo(layers.Layer):
    """The first value from `start` to `stop` along an axis; sizes of others may say where."""

    def __init__(self, axis, start, stop, step=None, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.start, self.stop, self.step = axis, start, stop, step

    def call(self, values):
        start, stop = (length_of(values, size) for size in (self.start, self.stop))
        return values[0][(slice(None),) * self.axis + (slice(start, stop, self.step),)]

    def compute_output_shape(self, input_shape):
        shape = list(input_shape[0])
        shape[self.axis] = None
        return tuple(shape)

    def get_config(self):
        cut = {"axis": self.axis, "start": self.start, "stop": self.stop}
        return {**super().get_config(), **cut, "step": self.step}
