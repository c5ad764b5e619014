"""Networks of sequences as people write them in PyTorch, by hand and without netspec."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


class Block(nn.Module):
    def __init__(self, size=32, heads=4):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.qkv, self.proj, self.heads = nn.Linear(size, 3 * size), nn.Linear(size, size), heads
        self.mlp = nn.Sequential(nn.Linear(size, 4 * size), nn.GELU(), nn.Linear(4 * size, size))
        self.gamma = nn.Parameter(torch.ones(size))

    def forward(self, x):
        b, n, c = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c)
        x = x + self.gamma * self.proj(y)
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    def __init__(self, size=32, depth=2, patch=8, image=32, heads=4, classes=7, mlp=4):
        super().__init__()
        self.patch = nn.Conv2d(3, size, patch, patch)
        self.cls = nn.Parameter(torch.randn(1, 1, size))
        self.position = nn.Parameter(torch.randn(1, (image // patch) ** 2 + 1, size))
        self.blocks = nn.Sequential(*(Block(size, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(size, 1e-6), nn.Linear(size, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


class Encoder(nn.Module):
    """The layers of PyTorch, with the time in front as they have it by default."""

    def __init__(self, activation="gelu", batch_first=False, norm_first=False):
        super().__init__()
        self.embedding, self.position = nn.Embedding(50, 16), nn.Parameter(torch.randn(12, 16))
        layer = nn.TransformerEncoderLayer(
            16, 2, 32, activation=activation, batch_first=batch_first, norm_first=norm_first
        )
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.turns, self.out = not batch_first, nn.Linear(16, 50)

    def forward(self, ids):
        x = self.embedding(ids) + self.position
        x = self.encoder(x.transpose(0, 1)).transpose(0, 1) if self.turns else self.encoder(x)
        return self.out(x)


class Attended(nn.Module):
    """Convolutions over time, a product written out, and a second input."""

    def __init__(self):
        super().__init__()
        self.embedding, self.conv, self.norm = nn.Embedding(50, 16), nn.Conv1d(16, 8, 3, padding=1), nn.BatchNorm1d(8)
        self.q, self.k = nn.Linear(8, 8), nn.Linear(8, 8, bias=False)

    def forward(self, ids, x):
        y = F.relu(self.norm(self.conv(self.embedding(ids).transpose(1, 2))))
        y = F.max_pool1d(y, 2).transpose(1, 2)
        a = (self.q(y) @ self.k(y).transpose(-2, -1) / 8**0.5).softmax(-1) @ y
        b = torch.stack([x[:, 0], x[:, 1]], 1).sum(1, keepdim=True)
        return a.mean(1), torch.cat([a, y], -1).max(dim=1)[0] * x[:, :1] + b


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
        self.mean, self.log_var, self.up = nn.Linear(784, 4), nn.Linear(784, 4), nn.Linear(4, 784)
        self.out = nn.Sequential(
            nn.ConvTranspose2d(16, 8, 3, 2, 1, output_padding=1), nn.ReLU(), nn.ConvTranspose2d(8, 1, 4, 2, 1)
        )

    def forward(self, x):
        y = torch.flatten(self.down(x), 1)
        mean, log_var = self.mean(y), self.log_var(y)
        y = self.up(mean).view(-1, 16, 7, 7)
        return torch.sigmoid(self.out(y)), mean, log_var.clamp(-4, 4).exp()
