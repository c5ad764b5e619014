from torch import nn


class Slices(nn.Module):
    """Slices are Python's, over the written axes

    Takes N, C, H, W and gives N, T, F.
    """

    def forward(self, image):
        x = image[:, :, 0]  # 8 x 32
        return x.transpose(1, 2)
