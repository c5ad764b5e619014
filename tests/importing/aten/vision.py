"""Networks of images as people write them in PyTorch, by hand and without netspec."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), (2, 2))
        x = x.view(-1, 16 * 5 * 5)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class VGG16(nn.Module):
    def __init__(self, classes=1000):
        super().__init__()
        layers, channels = [], 3
        for width in [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]:
            if width:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            else:
                layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(),
            nn.Linear(4096, classes),
        )

    def forward(self, x):
        x = self.avgpool(self.features(x))
        return self.classifier(torch.flatten(x, 1))


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inplanes, planes, stride, downsample):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inplanes, planes, stride, downsample):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * 4)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        return self.relu(out + identity)


class ResNet(nn.Module):
    def __init__(self, block, counts, classes=1000):
        super().__init__()
        self.inplanes = 64
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._stage(block, 64, counts[0], 1)
        self.layer2 = self._stage(block, 128, counts[1], 2)
        self.layer3 = self._stage(block, 256, counts[2], 2)
        self.layer4 = self._stage(block, 512, counts[3], 2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, classes)

    def _stage(self, block, planes, count, stride):
        out, down = planes * block.expansion, None
        if stride != 1 or self.inplanes != out:
            down = nn.Sequential(nn.Conv2d(self.inplanes, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        layers = [block(self.inplanes, planes, stride, down)]
        self.inplanes = out
        return nn.Sequential(*layers, *(block(out, planes, 1, None) for _ in range(count - 1)))

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class ConvBNReLU6(nn.Sequential):
    def __init__(self, i, o, kernel=3, stride=1, groups=1):
        super().__init__(
            nn.Conv2d(i, o, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(o), nn.ReLU6(True)
        )


class InvertedResidual(nn.Module):
    def __init__(self, i, o, stride, expand):
        super().__init__()
        hidden = i * expand
        self.residual = stride == 1 and i == o
        layers = [ConvBNReLU6(i, hidden, 1)] if expand != 1 else []
        layers += [
            ConvBNReLU6(hidden, hidden, 3, stride, hidden),
            nn.Conv2d(hidden, o, 1, bias=False),
            nn.BatchNorm2d(o),
        ]
        self.conv = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, classes=1000):
        super().__init__()
        layers, i = [ConvBNReLU6(3, 32, 3, 2)], 32
        for t, c, n, s in [
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ]:
            for k in range(n):
                layers.append(InvertedResidual(i, c, s if k == 0 else 1, t))
                i = c
        self.features = nn.Sequential(*layers, ConvBNReLU6(320, 1280, 1))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean([2, 3]))


class DenseLayer(nn.Module):
    def __init__(self, i, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(i), nn.Conv2d(i, 4 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * growth), nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, features):
        x = self.conv1(F.relu(self.norm1(torch.cat(features, 1))))
        return self.conv2(F.relu(self.norm2(x)))


class DenseNet(nn.Module):
    def __init__(self, counts=(6, 12, 24, 16), growth=32, classes=1000):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        self.blocks, self.transitions, c = nn.ModuleList(), nn.ModuleList(), 64
        for n, count in enumerate(counts):
            self.blocks.append(nn.ModuleList(DenseLayer(c + k * growth, growth) for k in range(count)))
            c += count * growth
            if n < len(counts) - 1:
                self.transitions.append(
                    nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c // 2, 1, bias=False), nn.AvgPool2d(2, 2))
                )
                c //= 2
        self.norm, self.classifier = nn.BatchNorm2d(c), nn.Linear(c, classes)

    def forward(self, x):
        x = self.stem(x)
        for n, block in enumerate(self.blocks):
            features = [x]
            for layer in block:
                features.append(layer(features))
            x = torch.cat(features, 1)
            x = self.transitions[n](x) if n < len(self.transitions) else x
        x = F.relu(self.norm(x), inplace=True)
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1))


class ConvReLU(nn.Module):
    def __init__(self, i, o, **how):
        super().__init__()
        self.conv = nn.Conv2d(i, o, **how)

    def forward(self, x):
        return F.relu(self.conv(x), inplace=True)


class Inception(nn.Module):
    def __init__(self, i, c1, r3, c3, r5, c5, p):
        super().__init__()
        self.branch1 = ConvReLU(i, c1, kernel_size=1)
        self.branch2 = nn.Sequential(ConvReLU(i, r3, kernel_size=1), ConvReLU(r3, c3, kernel_size=3, padding=1))
        self.branch3 = nn.Sequential(ConvReLU(i, r5, kernel_size=1), ConvReLU(r5, c5, kernel_size=5, padding=2))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), ConvReLU(i, p, kernel_size=1))

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class GoogLeNet(nn.Module):
    def __init__(self, classes=1000):
        super().__init__()
        self.conv1 = ConvReLU(3, 64, kernel_size=7, stride=2, padding=3)
        self.conv2, self.conv3 = ConvReLU(64, 64, kernel_size=1), ConvReLU(64, 192, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.lrn = nn.LocalResponseNorm(5)
        widths = [
            [(192, 64, 96, 128, 16, 32, 32), (256, 128, 128, 192, 32, 96, 64)],
            [
                (480, 192, 96, 208, 16, 48, 64),
                (512, 160, 112, 224, 24, 64, 64),
                (512, 128, 128, 256, 24, 64, 64),
                (512, 112, 144, 288, 32, 64, 64),
                (528, 256, 160, 320, 32, 128, 128),
            ],
            [(832, 256, 160, 320, 32, 128, 128), (832, 384, 192, 384, 48, 128, 128)],
        ]
        self.stages = nn.ModuleList(nn.Sequential(*(Inception(*w) for w in stage)) for stage in widths)
        self.avgpool, self.dropout = nn.AdaptiveAvgPool2d(1), nn.Dropout(0.4)
        self.fc = nn.Linear(1024, classes)

    def forward(self, x):
        x = self.pool(self.conv3(self.conv2(self.pool(self.conv1(x)))))
        x = self.stages[1](self.pool(self.stages[0](x)))
        x = self.stages[2](self.pool(x))
        return self.fc(self.dropout(torch.flatten(self.avgpool(x), 1)))


def double(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3), nn.ReLU(inplace=True), nn.Conv2d(o, o, 3), nn.ReLU(inplace=True))


class UNet(nn.Module):
    """Of Ronneberger et al. (2015): what comes from the left is cropped."""

    def __init__(self, width=64, classes=2):
        super().__init__()
        sizes = [width * 2**n for n in range(5)]
        self.down = nn.ModuleList(double(i, o) for i, o in zip([1, *sizes], sizes))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * n, n, 2, stride=2) for n in sizes[-2::-1])
        self.right = nn.ModuleList(double(2 * n, n) for n in sizes[-2::-1])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        kept = []
        for n, step in enumerate(self.down):
            x = step(x if n == 0 else F.max_pool2d(x, 2))
            kept.append(x)
        for up, right, left in zip(self.up, self.right, kept[-2::-1]):
            x = up(x)
            cut = (left.shape[2] - x.shape[2]) // 2
            x = right(torch.cat([left[:, :, cut : cut + x.shape[2], cut : cut + x.shape[3]], x], dim=1))
        return self.head(x)


class SmallUNet(nn.Module):
    """With padding, interpolation and a sum in place of a concatenation."""

    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(4, 8), nn.SiLU())
        self.b = nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1), nn.InstanceNorm2d(8, affine=True), nn.LeakyReLU(0.2))
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.near = nn.Upsample(scale_factor=2)
        self.shuffle = nn.Sequential(nn.Conv2d(8, 12, 1), nn.PixelShuffle(2))

    def forward(self, x):
        a = self.a(x)
        b = self.b(a)
        return self.shuffle(self.up(b) + self.near(b) + 0.5 * a), torch.sigmoid(a.amax(dim=(2, 3), keepdim=True)) * a


class SqueezeExcite(nn.Module):
    def __init__(self, c=16, mode="reflect"):
        super().__init__()
        self.mode = mode
        self.stem = nn.Conv2d(3, c, (3, 5), (2, 1), padding=(1, 2), dilation=1, groups=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1, self.fc2 = nn.Conv2d(c, 4, 1), nn.Conv2d(4, c, 1)
        self.a, self.b = nn.Linear(c, 4), nn.Linear(4, c)
        self.depth = nn.Conv2d(c, 2 * c, 3, padding="same", groups=c)
        self.gamma = nn.Parameter(torch.ones(2 * c, 1, 1))
        self.act = nn.PReLU(2 * c)

    def forward(self, x):
        x = self.stem(x)
        x = x * F.hardsigmoid(self.fc2(F.hardswish(self.fc1(self.pool(x)))))
        s = torch.sigmoid(self.b(F.gelu(self.a(self.pool(x).flatten(1)), approximate="tanh")))
        x = self.depth(x * s[:, :, None, None])
        x = F.pad(self.act(x * self.gamma), (1, 2, 0, 1), mode=self.mode)
        return torch.cat([x.permute(0, 2, 3, 1), x.permute(0, 2, 3, 1) ** 2], -1).mean((1, 2))
