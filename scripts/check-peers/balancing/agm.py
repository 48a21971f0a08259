"""Li, Li, Hu, Lei, Li and Zhou, ICCV 2023, as their code has it: the encoder of modality m gets exp(α (τ_m − r_m)) of its
gradient, by the cross-entropy of its Shapley value of the joint logits, and by the mean of those of the steps before."""

import itertools
import math

import torch
from network import gradients, plain_losses, train


def shapley(names, value):
    """The mean gain of each name over all orders in which they can come."""
    orders = list(itertools.permutations(names))
    gains = {m: 0 for m in names}
    for order in orders:
        for k, m in enumerate(order):
            gains[m] = gains[m] + (value(order[: k + 1]) - value(order[:k])) / len(orders)
    return gains


def found(case):
    alpha = case["options"]["alpha"]
    state = {"steps": 0, "means": {}}

    def step_of(network, step, inputs, label):
        names, known = network.modalities, label >= 0

        def value(present):
            given = {m: x if m in present else torch.zeros_like(x) for m, x in inputs.items()}
            return network.joint(network.features(given)) if present else torch.zeros(len(label), 3)

        def ratio(scores, m):
            others = [scores[o] for o in names if o != m]
            return math.exp(sum(others) / len(others) - scores[m])

        with torch.no_grad():
            logits = shapley(names, value)
            scores = {
                m: float(torch.nn.functional.cross_entropy(logits[m][known], label[known])) for m in names
            }
        losses = plain_losses(network, network.features(inputs), label)
        slopes = gradients(network, losses)
        means = state["means"] or {m: 0.0 for m in names}
        factors = {m: math.exp(alpha * (ratio(means, m) - ratio(scores, m))) for m in names}
        for m in names:
            for name in network.names_of(m):
                slopes[name] = factors[m] * slopes[name]
        count = state["steps"] + 1
        state["means"] = {m: (means[m] * state["steps"] + scores[m]) / count for m in names}
        state["steps"] = count
        return {"losses": losses, "gradients": slopes, "told": factors}

    return train(case, step_of) | {"state": state}
