from keras import layers


class Scan(layers.RNN):
    """A cell run over time, where its output and state need not be vectors."""

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        del initial_state_shape  # it is that of the last state
        batch, length = sequences_shape[:2]
        steps = (length,) if self.return_sequences else ()
        shape = (batch, *steps, *self.cell.output_size)
        sizes = ((size,) if isinstance(size, int) else size for size in self.state_size)
        states = [(batch, *size) for size in sizes]
        return (shape, *states) if self.return_state else shape
