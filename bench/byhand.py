"""Networks of the zoo as people write them in PyTorch: activations in place, sums with `+=`, chains as `nn.Sequential`.

They hold their weights in the order of the generated modules, so that these can be copied from one to the other.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# --- ResNet ----------------------------------------------------------------------------------------------------------


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 beside a shortcut."""

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels != 4 * width:
            conv = nn.Conv2d(channels, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += identity
        return self.relu(out)


def _stage(channels: int, width: int, count: int, stride: int) -> nn.Sequential:
    more = (Bottleneck(4 * width, width) for _ in range(count - 1))
    return nn.Sequential(Bottleneck(channels, width, stride), *more)


class ResNet50(nn.Module):
    """He et al. (2015)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(64, 64, 3, 1)
        self.layer2 = _stage(256, 128, 4, 2)
        self.layer3 = _stage(512, 256, 6, 2)
        self.layer4 = _stage(1024, 512, 3, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2048, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        found: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return found


# --- VGG -------------------------------------------------------------------------------------------------------------


class VGG16(nn.Module):
    """Simonyan and Zisserman (2014), configuration D."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for count, width in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
            for _ in range(count):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(25088, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 1000),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(self.classifier(torch.flatten(self.features(x), 1)), dim=-1)


# --- MobileNetV2 -----------------------------------------------------------------------------------------------------


def _filtered(channels: int, filters: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters), nn.ReLU6(inplace=True))


class InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow."""

    def __init__(self, channels: int, filters: int, stride: int, expansion: int) -> None:
        super().__init__()
        self.adds = stride == 1 and channels == filters
        wide = expansion * channels
        widened = [_filtered(channels, wide)] if expansion != 1 else []
        narrowed = nn.Conv2d(wide, filters, 1, bias=False)
        depthwise = _filtered(wide, wide, 3, stride, wide)
        self.conv = nn.Sequential(*widened, depthwise, narrowed, nn.BatchNorm2d(filters))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return x + out if self.adds else out


# expansion, filters, blocks and stride of the first block
_ROWS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class MobileNetV2(nn.Module):
    """Sandler et al. (2018)."""

    def __init__(self) -> None:
        super().__init__()
        features: list[nn.Module] = [_filtered(3, 32, 3, 2)]
        channels = 32
        for expansion, filters, count, stride in _ROWS:
            for number in range(count):
                features.append(InvertedResidual(channels, filters, stride if number == 0 else 1, expansion))
                channels = filters
        self.features = nn.Sequential(*features, _filtered(320, 1280))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    def forward(self, x: Tensor) -> Tensor:
        x = F.adaptive_avg_pool2d(self.features(x), 1)
        found: Tensor = self.classifier(torch.flatten(x, 1))
        return found


# --- DenseNet --------------------------------------------------------------------------------------------------------


class DenseLayer(nn.Module):
    """New maps, behind all those before them."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(channels, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        new = self.conv1(self.relu(self.norm1(x)))
        new = self.conv2(self.relu(self.norm2(new)))
        return torch.cat([x, new], 1)


def _transition(channels: int) -> nn.Sequential:
    conv = nn.Conv2d(channels, channels // 2, 1, bias=False)
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True), conv, nn.AvgPool2d(2))


class DenseNet121(nn.Module):
    """Huang et al. (2016)."""

    def __init__(self, growth: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(3, 2 * growth, 7, 2, 3, bias=False),
            nn.BatchNorm2d(2 * growth),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        ]
        channels = 2 * growth
        for number, count in enumerate((6, 12, 24, 16)):
            if number:
                layers.append(_transition(channels))
                channels //= 2
            for _ in range(count):
                layers.append(DenseLayer(channels, growth))
                channels += growth
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.features(x), inplace=True)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        found: Tensor = self.classifier(x)
        return found


# --- recurrences -----------------------------------------------------------------------------------------------------


class Recurrent(nn.Module):
    """Recurrent layers of PyTorch's, and a dense one for what comes last. LSTMs have one bias that is learned."""

    def __init__(self, cls: type[nn.RNNBase], layers: int, ways: int, dropout: float) -> None:
        super().__init__()
        both = ways == 2
        self.layers = cls(64, 128, layers, batch_first=True, dropout=dropout, bidirectional=both)
        for name, bias in self.layers.named_parameters():
            if cls is nn.LSTM and name.startswith("bias_hh"):
                nn.init.zeros_(bias).requires_grad_(False)
        self.ways = ways
        self.dense = nn.Linear(128 * ways, 10)

    def forward(self, x: Tensor) -> Tensor:
        _, state = self.layers(x)
        h = state[0] if isinstance(state, tuple) else state
        found: Tensor = self.dense(h[-1] if self.ways == 1 else torch.cat((h[-2], h[-1]), 1))
        return found
