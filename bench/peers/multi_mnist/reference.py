"""MultiMNIST in PyTorch, written on its own, from the data, initial weights and order that export.mjs has written.

  python bench/peers/multi_mnist/reference.py FOLDER --strategy sum --lr 0.01

Prints a line for each epoch, and ends with one in the form of a study's record: row, lr, seed and curves. With --losses it compares
the first steps' losses with those that the export holds, and fails where they differ by more than 1e-4.
"""

import argparse
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

p = argparse.ArgumentParser()
p.add_argument("folder")
p.add_argument("--strategy", choices=["sum", "fair", "mmpareto"], default="sum")
p.add_argument("--lr", type=float, default=0.01)
p.add_argument("--gamma", type=float, default=1.5)
p.add_argument("--threads", type=int, default=1)
p.add_argument("--losses", action="store_true")
p.add_argument("--record", help="folder to write the record to")
a = p.parse_args()
torch.set_num_threads(a.threads)
setting = json.load(open(os.path.join(a.folder, "setting.json")))


def read(name, kind):
    return np.fromfile(os.path.join(a.folder, name), kind)


def read_set(name):
    images = torch.from_numpy(read(f"{name}-images.u8", np.uint8)).reshape(-1, 1, 36, 36)
    labels = [torch.from_numpy(read(f"{name}-{side}.u8", np.uint8)).long() for side in ("left", "right")]
    return images, labels


sets = {name: read_set(name) for name in ("train", "validation", "test")}
weights = [
    torch.from_numpy(read(one["file"], np.float32)).reshape(one["shape"]) for one in setting["weights"]
]
# Kernels of convolutions are height x width x in x out there, matrices in x out; features are flattened with channels last.
w = [
    (v.permute(3, 2, 0, 1) if v.dim() == 4 else v.t() if v.dim() == 2 else v).contiguous().requires_grad_()
    for v in weights
]
trunk, heads = w[:6], [w[6:8], w[8:10]]


def outputs(images):
    x = images.float() / 255
    x = F.relu(F.max_pool2d(F.conv2d(x, trunk[0], trunk[1]), 2))
    x = F.relu(F.max_pool2d(F.conv2d(x, trunk[2], trunk[3]), 2))
    x = F.relu(F.linear(x.permute(0, 2, 3, 1).flatten(1), trunk[4], trunk[5]))
    return [F.linear(x, kernel, bias) for kernel, bias in heads]


def weights_of(gradients):
    """What each objective's trunk gradient is multiplied by."""
    if a.strategy == "sum":
        return 1.0, 1.0
    if a.strategy == "fair":
        return a.gamma, a.gamma
    g, h = (torch.cat([v.flatten() for v in one]).double() for one in gradients)
    gg, gh, hh = float(g @ g), float(g @ h), float(h @ h)
    if gh >= 0:
        return a.gamma, a.gamma
    share = min(1.0, max(0.0, (hh - gh) / (gg + hh - 2 * gh)))
    shortest = share**2 * gg + 2 * share * (1 - share) * gh + (1 - share) ** 2 * hh
    scale = a.gamma * math.sqrt((gg + 2 * gh + hh) / (4 * shortest))
    return 2 * scale * share, 2 * scale * (1 - share)


velocity = [torch.zeros_like(v) for v in w]


def step(images, labels, rate):
    losses = [F.cross_entropy(out, label) for out, label in zip(outputs(images), labels)]
    of_trunk, of_heads = [], []
    for k, loss in enumerate(losses):
        found = torch.autograd.grad(loss, trunk + heads[k], retain_graph=k == 0)
        of_trunk.append(found[:6])
        of_heads += found[6:]
    first, second = weights_of(of_trunk)
    gradients = [first * g + second * h for g, h in zip(*of_trunk)] + of_heads
    with torch.no_grad():
        for value, speed, gradient in zip(w, velocity, gradients):
            speed.mul_(0.9).add_(gradient + 1e-4 * value)
            value -= rate * speed
    return [float(loss.detach()) for loss in losses]


@torch.no_grad()
def measure(name):
    images, labels = sets[name]
    right, loss = [0, 0], [0.0, 0.0]
    for start in range(0, len(images), 500):
        for k, out in enumerate(outputs(images[start : start + 500])):
            label = labels[k][start : start + 500]
            right[k] += int((out.argmax(1) == label).sum())
            loss[k] += float(F.cross_entropy(out, label, reduction="sum"))
    return [(r / len(images), s / len(images)) for r, s in zip(right, loss)]


images, labels = sets["train"]
per_epoch = len(images) // setting["batchSize"]
curves = {
    name: {side: {"loss": [], "accuracy": []} for side in ("left", "right")} for name in ("train", "validation", "test")
}
began, done = time.time(), 0
for epoch in range(setting["epochs"]):
    order = torch.from_numpy(read(f"order-{epoch}.i32", np.int32)).long()
    total = np.zeros(2)
    for start in range(0, per_epoch * setting["batchSize"], setting["batchSize"]):
        chosen = order[start : start + setting["batchSize"]]
        rate = a.lr * (1 + math.cos(math.pi * done / (setting["epochs"] * per_epoch))) / 2
        losses = step(images[chosen], [one[chosen] for one in labels], rate)
        if a.losses:
            expected = setting["losses"][done]
            worst = max(abs(x - y) for x, y in zip(losses, expected))
            if worst > 1e-4:
                raise SystemExit(f"step {done}: losses {losses}, expected {expected}")
            if done + 1 == len(setting["losses"]):
                print(f"{done + 1} steps with the same losses, to {worst:.1e} in the last")
                raise SystemExit(0)
        total += losses
        done += 1
    for name in ("validation", "test"):
        for side, (accuracy, loss) in zip(("left", "right"), measure(name)):
            curves[name][side]["accuracy"].append(round(accuracy, 6))
            curves[name][side]["loss"].append(round(loss, 6))
    for side, loss in zip(("left", "right"), total / per_epoch):
        curves["train"][side]["loss"].append(round(float(loss), 6))
    print(epoch + 1, {side: curves["test"][side]["accuracy"][-1] for side in ("left", "right")}, flush=True)
record = {
    **{"row": a.strategy, "lr": a.lr, "seed": setting["seed"], "status": "finished", "epochs": setting["epochs"]},
    **{"seconds": round(time.time() - began, 1), "torch": torch.__version__, "threads": a.threads, "curves": curves},
}
print(json.dumps(record))
if a.record:
    os.makedirs(a.record, exist_ok=True)
    with open(os.path.join(a.record, f"{a.strategy}-lr{a.lr:g}-seed{setting['seed']}.json"), "w") as file:
        json.dump(record, file)
