import torch.nn.functional as F
from torch import nn


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Repeats(nn.Module):
    """`repeat`, `for` over ranges, lists and tuples; what is bound before a loop
    carries on through it

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.convs = nn.ModuleList(
            nn.Conv2d(width // 2, width, 3, padding=1) for width in [16, 32, 64]
        )
        self.conv6 = nn.Conv2d(64, 64, 1)
        self.conv7 = nn.Conv2d(64, 65, 1)
        self.stage1 = nn.Sequential(nn.Conv2d(65, 96, 3, padding=1))
        self.stage2 = nn.Sequential(
            nn.ZeroPad2d((0, 1, 0, 1)),
            nn.Conv2d(96, 128, 3, stride=2),
        )
        self.conv8 = nn.Conv2d(3, 3, 1)
        self.apply(init_weights)

    def forward(self, image):
        x = F.relu(self.conv1(image), inplace=True)  # 8 x 64 x 64
        x = F.relu(self.conv2(x), inplace=True)  # 8 x 64 x 64
        for conv in self.convs:
            x = conv(x)
            x = F.max_pool2d(x, 2)
        x = self.conv6(x)  # 64 x 8 x 8
        x = self.conv7(x)  # 65 x 8 x 8
        x = self.stage1(x)  # 96 x 8 x 8
        _ = self.stage2(x)  # leads nowhere, but its weights are part of the net
        prev = F.avg_pool2d(image, 16)  # 3 x 4 x 4
        cur = F.avg_pool2d(image, 16)  # 3 x 4 x 4
        cur = self.conv8(cur)  # 3 x 4 x 4
        cur2 = prev + cur  # 3 x 4 x 4
        cur = cur + cur2  # 3 x 4 x 4
        return cur2 + cur  # 3 x 4 x 4
