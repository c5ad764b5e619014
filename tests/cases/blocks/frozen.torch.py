import torch
import torch.nn.functional as F
from torch import nn


def frozen(module):
    """Hold a module still: its weights, and in training too the running statistics of its batch norms."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            norm.register_forward_pre_hook(keep_statistics)
    return module.requires_grad_(False)


def keep_statistics(norm, _inputs):
    """A batch norm whose weights are held still works as in inference."""
    if not any(p.requires_grad for p in norm.parameters()):
        norm.eval()


def init_weights(module):
    """Fill the weights of a module with what they begin with."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


class Features(nn.Module):
    """Weights held still: counted as parameters, not as trainable ones; also those in a
    block

    Takes N, C, H, W and gives N, C, H, W.
    """

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3)
        self.batchnorm = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3)

    def forward(self, x):
        x = F.relu(self.batchnorm(self.conv1(x)), inplace=True)
        return self.conv2(x)


class Transfer(nn.Module):
    """Takes N, C, H, W and gives N, F."""

    def __init__(self):
        super().__init__()
        self.features = frozen(Features())
        self.dense1 = nn.Linear(8, 4).requires_grad_(False)
        self.classifier = nn.Linear(4, 2)
        self.apply(init_weights)

    def forward(self, image):
        x = self.features(image)  # 8 x 12 x 12
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        x = self.dense1(x)
        return self.classifier(x)
