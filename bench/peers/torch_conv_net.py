"""Writes the weights of a small network of PyTorch with what it computes: the file that packages/checkpoint is tested on.

python bench/peers/torch_conv_net.py packages/checkpoint/src/model-files/testing/torch-conv-net.safetensors
Needs torch 2.13, numpy and safetensors.
"""

import sys

import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(1)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        self.depth = nn.Conv2d(4, 8, 3, padding=1, groups=4)
        self.head = nn.Linear(8 * 4 * 3, 5)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.depth(x))
        return self.head(torch.flatten(x, 1))


network = Network()
# Some steps of training, so that no statistic is what it was at first.
optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
for _ in range(20):
    x = 2 * torch.randn(16, 2, 8, 6) + 1
    loss = ((network(x) - torch.randn(16, 5)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

network.eval()
optimizer.zero_grad()
x, target = torch.randn(3, 2, 8, 6), torch.randn(3, 5)
output = network(x)
loss = ((output - target) ** 2).mean()
loss.backward()
expected = {"input": x, "target": target, "output": output, "loss": loss}
gradients = {f"gradient.{name}": value.grad for name, value in network.named_parameters()}
tensors = {
    **network.state_dict(),
    **{f"expected.{name}": value for name, value in {**expected, **gradients}.items()},
}
save_file(
    {name: value.detach().contiguous() for name, value in tensors.items()},
    sys.argv[1],
    metadata={"torch": torch.__version__},
)
print(f"{len(tensors)} tensors, loss {loss.item():.6f}")
