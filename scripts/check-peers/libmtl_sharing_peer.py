"""What LibMTL's architectures compute for the cases of a file: `libmtl_sharing_peer.py CLONE CASES`.

LibMTL's classes run in float64 around encoders that are small enough to be checked. Every weight and input is `numbers` of a
seed that follows from its name, in the shape that tests/peers/libmtl-sharing.test.ts gives it. Of the gradients of the
tasks' losses, added up with factors, three inner products with fixed vectors are kept for each weight, and the length.

Where LibMTL and what is checked here part, the LibMTL class is changed below, with the reason.
"""

import importlib
import json
import math
import sys
import types

import numpy
import torch
from torch import nn

from balancing.network import seed_of

clone, cases_file = sys.argv[1:3]
# The packages' own imports need torchvision and more, of which architectures use nothing.
for name in ("LibMTL", "LibMTL.architecture", "LibMTL.model"):
    package = types.ModuleType(name)
    package.__path__ = [f"{clone}/{name.replace('.', '/')}"]
    sys.modules[name] = package
torch.set_default_dtype(torch.float64)

SAMPLES, SIDE = 4, 8
CPU = torch.device("cpu")
# Factors of the tasks' losses, in the order of the tasks.
FACTORS = (1.0, 2.0, 0.5)


def numbers(seed, shape):
    """Multiples of 1/512 between -1/2 and 1/2, which float32 holds, scattered: smooth ones make batch norms ill-conditioned."""
    count = math.prod(shape)
    scattered = [((i + 1) * (i + 1 + seed) * 2654435761) % 2**32 // 2**23 for i in range(count)]
    return (torch.tensor(scattered) / 512 - 0.5).reshape(shape)


def architecture(name):
    return importlib.import_module(f"LibMTL.architecture.{name}")


def kernel_of(weight):
    """A weight of PyTorch's as TensorFlow's layers keep it."""
    return weight.permute(*{4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[weight.dim()])


def fill(parameter, name, offset=0.0):
    shape = tuple(kernel_of(parameter).shape)
    values = numbers(seed_of(name), shape) + offset
    back = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[parameter.dim()]
    with torch.no_grad():
        parameter.copy_(values.permute(*back))
    return {name: parameter}


def layer(module, name):
    """The weights of a convolution or a dense layer; a 1x1 convolution is a dense layer on maps here."""
    return {**fill(module.weight, f"{name}/kernel"), **fill(module.bias, f"{name}/bias")}


def norm(module, name):
    return {**fill(module.weight, f"{name}/gamma", 1.0), **fill(module.bias, f"{name}/beta")}


def convolution(before, after):
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.ReLU())


def heads(tasks, width):
    """A dense layer for each task on the mean over a map."""
    return nn.ModuleDict(
        {
            task: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, k + 1))
            for k, task in enumerate(tasks)
        }
    )


def head_weights(decoders):
    return {
        key: value
        for task, decoder in decoders.items()
        for key, value in layer(decoder[-1], f"head/{task}").items()
    }


class Chain(nn.Module):
    """Convolutions with ReLU under the names of a ResNet's parts, as LibMTL's MTAN and LTB take them apart."""

    def __init__(self, widths, pooled, double):
        super().__init__()
        self.feature_dim = widths[-1]
        self.conv1, self.bn1 = nn.Conv2d(2, widths[0], 3, padding=1), nn.Identity()
        self.relu, self.maxpool = nn.ReLU(), nn.Identity()
        before = widths[0]
        for k, width in enumerate(widths, start=1):
            pool = [nn.MaxPool2d(2)] if k in pooled else []
            first = [convolution(before, width)] if double else []
            last = convolution(width if double else before, width)
            setattr(self, f"layer{k}", nn.Sequential(*pool, *first, last))
            before = width

    def weights(self, trunk, double):
        found = layer(self.conv1, f"{trunk}/first")
        for k in range(1, 5):
            stage = getattr(self, f"layer{k}")
            found |= layer(stage[-1][0], f"{trunk}/b{k}")
            if double:
                found |= layer(stage[-2][0], f"{trunk}/a{k}")
        return found


def maps():
    images = numbers(900, (SAMPLES, SIDE, SIDE, 2)) * 2
    return images.permute(0, 3, 1, 2)


def losses_of(outputs):
    return {
        task: torch.mean((output - numbers(910 + k, tuple(output.shape)) * 4) ** 2)
        for k, (task, output) in enumerate(outputs.items())
    }


def total(losses):
    return sum(factor * loss for factor, loss in zip(FACTORS, losses.values()))


def kept(grad):
    probes = [numbers(920 + k, (grad.numel(),)) for k in range(3)]
    return [float(torch.linalg.vector_norm(grad)), *(float(grad @ probe) for probe in probes)]


def measured(outputs, weights, extra=None):
    """Losses, and what is kept of the gradients of their weighted sum."""
    losses = losses_of(outputs)
    grads = torch.autograd.grad(total(losses), list(weights.values()), retain_graph=True)
    found = {}
    for (name, _), grad in zip(weights.items(), grads):
        if extra is not None:
            grad = grad + extra[name]
        found[name] = kept(kernel_of(grad).reshape(-1))
    return {
        "outputs": {task: output.flatten().tolist() for task, output in outputs.items()},
        "losses": {task: loss.item() for task, loss in losses.items()},
        "gradients": found,
    }


def mtan(case):
    module = architecture("MTAN")
    widths, tasks = case["widths"], case["tasks"]
    # Its widths are those of a ResNet: here those of the case.
    module.np = types.SimpleNamespace(array=lambda _: numpy.array(widths))

    # Its f is a residual block of a ResNet; the paper's and the official SegNet's is a convolution with batch norm and ReLU.
    def shared(_, before, after):
        return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())

    module._transform_resnet_MTAN._conv_layer = shared
    decoders = heads(tasks, widths[-1])
    model = module.MTAN(
        tasks, lambda: Chain(widths, case["pooled"], True), decoders, False, False, CPU
    ).double()
    encoder = model.encoder
    weights = layer(encoder.shared_conv[0], "trunk/first")
    for k in range(4):
        first, last = encoder.shared_layer[str(k)]
        weights |= layer(first[-1][0], f"trunk/a{k + 1}") | layer(last[0], f"trunk/b{k + 1}")
        for task, attention in zip(tasks, encoder.encoder_att[str(k)]):
            for place, at in (("squeeze", 0), ("mask", 3)):
                name = f"attention{k + 1}/{task}/{place}"
                weights |= layer(attention[at], name) | norm(attention[at + 1], f"{name}/norm")
        if k < 3:
            block, name = encoder.encoder_block_att[k], f"attention{k + 2}/next"
            weights |= layer(block[0], name) | norm(block[1], f"{name}/norm")
    weights |= head_weights(decoders)
    model.train()
    return measured(model(maps()), weights)


def ltb(case):
    module = architecture("LTB")
    widths, tasks = case["widths"], case["tasks"]
    decoders = heads(tasks, widths[-1])
    model = module.LTB(
        tasks, lambda: Chain(widths, [], False), decoders, False, False, CPU
    ).double()
    model.epoch, model.epochs = case["step"], 20 * case["temperature"]
    encoder, count = model.encoder, len(tasks)
    weights = {}
    for tn, task in enumerate(tasks):
        weights |= layer(encoder.resnet_conv[task][0], f"{task}/first")
        for k in range(4):
            weights |= layer(encoder.resnet_layer[str(k)][tn][-1][0], f"{task}/b{k + 1}")
    weights |= head_weights(decoders)

    # The order of a task's choices here: its own trunk first.
    def order(tn):
        return [tn, *(j for j in range(count) if j != tn)]

    noise = torch.zeros(6, count, count)
    with torch.no_grad():
        for k in range(1, 5):
            for tn, task in enumerate(tasks):
                name = f"exchange{k}/{task}"
                encoder.alpha[k, tn, order(tn)] = numbers(seed_of(f"{name}/logits"), (count,)) * 4
                if "noise" in case:
                    noise[k, tn, order(tn)] = torch.tensor(case["noise"][name])

    # Its Gumbel noise is drawn as -log of such numbers: here it is the noise of the case.
    def exponential(tensor):
        return tensor.copy_(torch.exp(-noise))

    torch.Tensor.exponential_ = exponential
    outputs = model(maps())
    found = measured(outputs, weights)
    if "noise" in case:
        (grad,) = torch.autograd.grad(total(losses_of(outputs)), [encoder.alpha])
        for k in range(1, 5):
            for tn, task in enumerate(tasks):
                own = grad[k, tn, order(tn)]
                found["gradients"][f"exchange{k}/{task}/logits"] = kept(own)
    return found


class Expert(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.dense = nn.Linear(inputs, width)

    def forward(self, x):
        return torch.relu(self.dense(x))


def experts(case):
    """MMoE, and DSelect-k, which goes on from it."""
    name, tasks, inputs, width = case["name"], case["tasks"], 6, 5
    decoders = nn.ModuleDict({task: nn.Sequential(nn.Linear(width, k + 1)) for k, task in enumerate(tasks)})
    given = {"img_size": [inputs], "num_experts": [case["experts"]]}
    if name == "DSelect_k":
        given |= {"num_nonzeros": case["selected"], "kgamma": case["gamma"]}
    module = getattr(architecture(name), name)
    model = module(tasks, lambda: Expert(inputs, width), decoders, False, False, CPU, **given).double()
    weights = {}
    for k, expert in enumerate(model.experts_shared):
        weights |= layer(expert.dense, f"expert{k + 1}/dense")
    for task in tasks:
        if name == "MMoE":
            weights |= layer(model.gate_specific[task][0], f"gate/{task}")
        else:
            weights |= layer(model._w_logits[task], f"gate/{task}/weights")
            weights |= layer(model._z_logits[task], f"gate/{task}/selectors")
    weights |= head_weights(decoders)
    x = numbers(900, (SAMPLES, inputs)) * 2
    if name == "MMoE":
        return measured(model(x), weights)
    # Its codes are letters, of which NumPy took '0' for false up to version 1: now every letter is true.
    digits = model._num_binary
    codes = [[bool(e >> (digits - 1 - d) & 1) for d in range(digits)] for e in range(case["experts"])]
    model._binary_codes = torch.tensor(codes).unsqueeze(0)
    # It keeps gamma, and calls its smooth step without it.
    module._smooth_step_fun.__defaults__ = (case["gamma"],)
    extra = {key: torch.zeros_like(value) for key, value in weights.items()}
    # In training it adds the gradient of the last task's entropies, summed over the batch: here each task's, as means.
    model.train()
    for task, factor in zip(tasks, FACTORS):
        model.zero_grad()
        model(x, task)
        for key, value in weights.items():
            if value.grad is not None:
                extra[key] += factor * value.grad / SAMPLES
    model.eval()
    return measured(model(x), weights, extra)


kinds = {"MTAN": mtan, "LTB": ltb, "MMoE": experts, "DSelect_k": experts}
with open(cases_file) as file:
    cases = json.load(file)["cases"]
for case in cases:
    case["found"] = kinds[case["name"]](case)
print(json.dumps({"cases": cases}))
