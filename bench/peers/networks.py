"""The benchmark's networks in PyTorch, of the same sizes as those in bench/src/workloads.

Each has `losses(batch)`, a tensor for each objective, and `groups`: for each shared part its parameters and the numbers
of the objectives that reach it.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F


class DigitEncoder(nn.Module):
    def __init__(self, channels, width=32):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, width, 5, padding=2)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv3 = nn.Conv2d(width, 2 * width, 3, 2, 1)
        self.conv4 = nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.dense = nn.Linear(2 * width, 512)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(self.norm(x))), 3, 2, 1)
        x = F.relu(self.conv2(x))
        x = F.relu(self.conv3(x))
        x = F.relu(self.conv4(x))
        return F.relu(self.dense(x.mean((2, 3))))


class Block(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.shortcut = None
        if stride != 1 or channels != filters:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, filters, 1, stride, bias=False), nn.BatchNorm2d(filters)
            )

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet18(nn.Module):
    def __init__(self, channels, width=64):
        super().__init__()
        blocks = []
        before = width
        for k, factor in enumerate((1, 2, 4, 8)):
            blocks += [
                Block(before, factor * width, 1 if k == 0 else 2),
                Block(factor * width, factor * width, 1),
            ]
            before = factor * width
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 7, 2, 3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x):
        return self.blocks(self.stem(x)).mean((2, 3))


class Recurrent(nn.Module):
    """Tokens to the last state of an LSTM."""

    def __init__(self, vocabulary=1000, width=128):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width, padding_idx=0)
        self.lstm = nn.LSTM(width, width, batch_first=True)

    def forward(self, x):
        return self.lstm(self.tokens(x))[1][0][0]


class TransformerBlock(nn.Module):
    """Pre-norm: y = x + attention(LN(x)), z = y + W_2 gelu(W_1 LN(y))."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.dense1, self.dense2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        count, length, width = x.shape
        split = self.project(self.norm1(x)).view(count, length, 3, self.heads, width // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v)
        x = x + self.out(attended.transpose(1, 2).reshape(count, length, width))
        return x + self.dense2(F.gelu(self.dense1(self.norm2(x))))


class Transformer(nn.Module):
    """Tokens to the mean of a transformer's outputs."""

    def __init__(self, vocabulary=1000, length=64, width=128, blocks=4, heads=4):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width, padding_idx=0)
        self.position = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.Sequential(*(TransformerBlock(width, heads) for _ in range(blocks)))
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        return self.norm(self.blocks(self.tokens(x) + self.position)).mean(1)


class Multimodal(nn.Module):
    """Two encoders, their features concatenated; objectives: joint, first, second."""

    def __init__(self, first, second, features):
        super().__init__()
        self.first, self.second = first, second
        self.joint = nn.Linear(2 * features, 10)
        self.heads = nn.ModuleList([nn.Linear(features, 10), nn.Linear(features, 10)])
        self.groups = [
            (list(first.parameters()), (0, 1)),
            (list(second.parameters()), (0, 2)),
        ]
        self.singles = [
            (list(self.joint.parameters()), 0),
            (list(self.heads[0].parameters()), 1),
            (list(self.heads[1].parameters()), 2),
        ]

    def losses(self, batch):
        a, b, label = batch
        u, v = self.first(a), self.second(b)
        outputs = (self.joint(torch.cat([u, v], 1)), self.heads[0](u), self.heads[1](v))
        return [F.cross_entropy(output, label) for output in outputs]


class MultiTask(nn.Module):
    """A trunk and two heads; objectives: left, right."""

    def __init__(self, trunk, features):
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleList([nn.Linear(features, 10), nn.Linear(features, 10)])
        self.groups = [(list(trunk.parameters()), (0, 1))]
        self.singles = [(list(head.parameters()), k) for k, head in enumerate(self.heads)]

    def losses(self, batch):
        x, label = batch
        features = self.trunk(x)
        return [F.cross_entropy(head(features), label) for head in self.heads]


def make(workload, batch, width):
    """The network and a batch of noise."""
    label = torch.arange(batch) % 10
    if workload == "cg-mnist":
        network = Multimodal(DigitEncoder(1, width), DigitEncoder(3, width), 512)
        return network, (torch.rand(batch, 1, 28, 28), torch.rand(batch, 3, 28, 28), label)
    if workload == "resnet18":
        network = Multimodal(ResNet18(1), ResNet18(3), 512)
        return network, (torch.rand(batch, 1, 64, 64), torch.rand(batch, 3, 64, 64), label)
    if workload == "lenet":
        trunk = nn.Sequential(
            nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(10, 20, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(720, 50), nn.ReLU(),
        )  # fmt: skip
        return MultiTask(trunk, 50), (torch.rand(batch, 1, 36, 36), label)
    if workload == "mlp":
        trunk = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU())
        return MultiTask(trunk, 256), (torch.rand(batch, 784), label)
    if workload in ("lstm", "lstm-layers"):
        return MultiTask(Recurrent(), 128), (tokens(batch, 50), label)
    if workload == "transformer":
        return MultiTask(Transformer(), 128), (tokens(batch, 64), label)
    raise ValueError(
        "workload should be mlp, lenet, cg-mnist, resnet18, lstm, lstm-layers or transformer. "
        f"Found {workload}."
    )


def tokens(batch, length, vocabulary=1000):
    """The token numbers of bench/src/workloads/random-batch.mjs."""
    return (1 + torch.arange(batch * length) * 7919 % (vocabulary - 1)).view(batch, length)
