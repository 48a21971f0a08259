"""Per-sample steps in PyTorch, one case in a process: `samples.py WORKLOAD BATCH CASE`.

Cases: the gradient of the mean; the Gramian of all samples' gradients by TorchJD's autogram, and then the gradient of the
weighted sum. Weights are those of the mean, so that no solver is timed.
"""

import json
import os
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

workload, batch, case = sys.argv[1], int(sys.argv[2]), sys.argv[3]
torch.manual_seed(1)
torch.set_num_threads(os.cpu_count())


def make():
    label = torch.arange(batch) % 10
    if workload == "mlp":
        network = nn.Sequential(
            nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)
        )
        return network, torch.rand(batch, 784), label
    if workload == "lenet":
        network = nn.Sequential(
            nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(10, 20, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(720, 50), nn.ReLU(), nn.Linear(50, 10),
        )  # fmt: skip
        return network, torch.rand(batch, 1, 36, 36), label
    raise ValueError(f"workload should be mlp or lenet. Found {workload}.")


network, inputs, labels = make()
parameters = list(network.parameters())
weights = torch.full((batch,), 1 / batch)


def losses():
    return F.cross_entropy(network(inputs), labels, reduction="none")


def mean():
    losses().mean().backward()


def autogram():
    values = losses()
    gramian = engine.compute_gramian(values)
    values.backward(weights)
    return gramian


if case == "autogram":
    from torchjd.autogram import Engine

    engine = Engine(network, batch_dim=0)
step = {"mean": mean, "autogram": autogram}[case]
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def answer(request):
    if request.get("memory"):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"megabytes": (peak - base) / 1024}
    start = time.perf_counter()
    step()
    network.zero_grad()
    return {"milliseconds": 1e3 * (time.perf_counter() - start)}


print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    try:
        print(json.dumps(answer(json.loads(line))), flush=True)
    except Exception as error:  # The other side prints it beside the case.
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
