"""A small network of several modalities in float64, with the numbers that the tests give theirs: no library's code but
autograd's.

Every number is a multiple of 1/512, so that float32 holds it: `numbers(seed, shape)` is a function of seed and place, and
tests/peers/balancing-network.ts says it once more.
"""

import math

import torch

torch.set_default_dtype(torch.float64)

CLASSES, INPUTS, SAMPLES, RATE = 3, 3, 6, 0.125
LENGTHS = {"a": 4, "b": 3, "c": 2}


def numbers(seed, shape):
    size = math.prod(shape)
    values = [math.floor(256 * math.sin(12.25 * (i + 1) + 78.5 * seed) + 0.5) / 512 for i in range(size)]
    return torch.tensor(values).reshape(shape)


def batch(step, modalities, missing=False):
    """Inputs of a step: each modality's are half as large as those of the one before it."""
    inputs = {m: numbers(100 + 10 * step + k, (SAMPLES, INPUTS)) * 4 * 0.5**k for k, m in enumerate(modalities)}
    label = torch.tensor([(i * i + i * step + step) % CLASSES for i in range(SAMPLES)])
    if missing:
        label[step % SAMPLES] = -1
    return inputs, label


class Network:
    """Encoders of one dense layer with ReLU, a fusion, a joint head and a head for each modality.

    With an MMTM exchange behind some layers, the encoders have two dense layers, the first one of four units."""

    def __init__(self, case):
        self.modalities = ["a", "b", "c"][: case.get("modalities", 2)]
        self.fusion = case.get("fusion", "concatenation")
        lengths = {m: LENGTHS[m] for m in self.modalities}
        if self.fusion != "concatenation":
            lengths = {m: 4 for m in self.modalities}
        self.lengths = lengths
        fused = sum(lengths.values()) if self.fusion == "concatenation" else 4
        self.exchanged = case.get("exchange", [])
        self.layers = ["dense1", "dense2"] if self.exchanged else ["dense1"]
        shapes = {}
        for m in self.modalities:
            widths = [INPUTS, 4, lengths[m]] if self.exchanged else [INPUTS, lengths[m]]
            for layer, width, units in zip(self.layers, widths, widths[1:]):
                shapes[f"{m}/{layer}/kernel"], shapes[f"{m}/{layer}/bias"] = (width, units), (units,)
        for place, layer in enumerate(self.exchanged, 1):
            channels = {m: shapes[f"{m}/{layer}/bias"][0] for m in self.modalities}
            total = sum(channels.values())
            squeezed = max(1, total // 4)
            shapes[f"exchange{place}/squeeze/kernel"] = (total, squeezed)
            shapes[f"exchange{place}/squeeze/bias"] = (squeezed,)
            for m in self.modalities:
                shapes[f"exchange{place}/{m}/excitation/kernel"] = (squeezed, channels[m])
                shapes[f"exchange{place}/{m}/excitation/bias"] = (channels[m],)
        if self.fusion == "gated":
            total = sum(lengths.values())
            for m in self.modalities:
                shapes[f"fusion/hidden/{m}/kernel"], shapes[f"fusion/hidden/{m}/bias"] = (lengths[m], 4), (4,)
                shapes[f"fusion/gate/{m}/kernel"], shapes[f"fusion/gate/{m}/bias"] = (total, 4), (4,)
        for head, length in {"multimodal": fused, **lengths}.items():
            shapes[f"head/{head}/kernel"], shapes[f"head/{head}/bias"] = (length, CLASSES), (CLASSES,)
        self.weights = {
            name: (2 * numbers(seed_of(name), shape)).requires_grad_() for name, shape in shapes.items()
        }

    def exchange_features(self, inputs, change=lambda place, modality, gate: gate):
        """Features behind layers and exchanges; `change` says how far a gate is open, from what it found itself."""
        w = self.weights
        z = dict(inputs)
        for layer in self.layers:
            z = {m: torch.relu(z[m] @ w[f"{m}/{layer}/kernel"] + w[f"{m}/{layer}/bias"]) for m in z}
            if layer not in self.exchanged:
                continue
            place = self.exchanged.index(layer) + 1
            dense = lambda x, name: x @ w[f"exchange{place}/{name}/kernel"] + w[f"exchange{place}/{name}/bias"]
            joint = torch.relu(dense(torch.cat(list(z.values()), 1), "squeeze"))
            gates = {m: 2 * torch.sigmoid(dense(joint, f"{m}/excitation")) for m in z}
            z = {m: z[m] * change(place, m, gates[m]) for m in z}
        return z

    def features(self, inputs, weights=None):
        w = weights or self.weights
        return {
            m: torch.relu(inputs[m] @ w[f"{m}/dense1/kernel"] + w[f"{m}/dense1/bias"]) for m in self.modalities
        }

    def fuse(self, features, weights=None):
        w = weights or self.weights
        z = [features[m] for m in self.modalities]
        if self.fusion == "concatenation":
            return torch.cat(z, 1)
        if self.fusion == "summation":
            return sum(z)
        joined = torch.cat(z, 1)
        dense = lambda x, name: x @ w[f"fusion/{name}/kernel"] + w[f"fusion/{name}/bias"]
        return sum(
            torch.sigmoid(dense(joined, f"gate/{m}")) * torch.tanh(dense(features[m], f"hidden/{m}"))
            for m in self.modalities
        )

    def joint(self, features, weights=None):
        w = weights or self.weights
        return self.fuse(features, w) @ w["head/multimodal/kernel"] + w["head/multimodal/bias"]

    def head(self, modality, features):
        return features[modality] @ self.weights[f"head/{modality}/kernel"] + self.weights[f"head/{modality}/bias"]

    def unimodal(self, features):
        """Each modality's share of the joint logits, with the same part of the bias: W_m z_m + b/M."""
        kernel, bias = self.weights["head/multimodal/kernel"], self.weights["head/multimodal/bias"]
        parts, start = {}, 0
        for m in self.modalities:
            rows = kernel[start : start + self.lengths[m]]
            start += self.lengths[m]
            parts[m] = features[m] @ rows + bias / len(self.modalities)
        return parts

    def masked(self, features, kept):
        """Joint logits where only some modalities' features are there, the others' zero."""
        return self.joint({m: z if m in kept else torch.zeros_like(z) for m, z in features.items()})

    def alone(self, features):
        """What each modality alone says: its share under concatenation, else the joint logits with the others' features zero."""
        if self.fusion == "concatenation":
            return self.unimodal(features)
        return {m: self.masked(features, [m]) for m in self.modalities}

    def names_of(self, modality):
        return [name for name in self.weights if name.startswith(f"{modality}/")]


def seed_of(name):
    """A number that the name alone gives."""
    return sum((i + 1) * ord(letter) for i, letter in enumerate(name)) % 997


def cross_entropy(logits, label):
    return torch.nn.functional.cross_entropy(logits, label, ignore_index=-1)


def true_probability(logits, label):
    """The probabilities of the true classes, of the labelled samples."""
    present = label >= 0
    return torch.softmax(logits[present], 1).gather(1, label[present].unsqueeze(1)).squeeze(1)


def plain_losses(network, features, label):
    """The joint loss and each modality's own, as without a method."""
    return {
        "multimodal": cross_entropy(network.joint(features), label),
        **{m: cross_entropy(network.head(m, features), label) for m in network.modalities},
    }


def gradients(network, losses):
    """The gradients of the losses' sum, zero where none of them reaches."""
    weights = list(network.weights.values())
    found = torch.autograd.grad(sum(losses.values()), weights, allow_unused=True, retain_graph=True)
    return {
        name: torch.zeros_like(w) if g is None else g for (name, w), g in zip(network.weights.items(), found)
    }


def descend(network, slopes):
    for name, weight in network.weights.items():
        network.weights[name] = (weight - RATE * slopes[name]).detach().requires_grad_()


def train(case, step_of, after_epoch=None):
    """Plain descent on the sum of the losses that `step_of(network, step, inputs, label)` returns, with what it says of the
    step, or on the gradients that it returns beside them; `after_epoch(network, epoch)` comes after each epoch's last step."""
    network = Network(case)
    losses, told = [], []
    for step in range(case.get("steps", 10)):
        inputs, label = batch(step, network.modalities, case.get("missing", False))
        found = step_of(network, step, inputs, label)
        losses.append([found["losses"][name].item() for name in ["multimodal", *network.modalities]])
        told.append(found.get("told"))
        descend(network, found.get("gradients") or gradients(network, found["losses"]))
        if after_epoch is not None and (step + 1) % case["steps_per_epoch"] == 0:
            after_epoch(network, step // case["steps_per_epoch"])
    return {
        "losses": losses,
        **({} if told[0] is None else {"told": told}),
        "weights": {name: w.flatten().tolist() for name, w in network.weights.items()},
    }
