"""Huang, Wei, Yang and Hu, CVPR 2025, equations 7 to 16 and algorithm 1. The score of equation 8 is taken as the mean
logarithm of the true class' probability, without its minus sign: the larger it is, the better."""

import math

import torch
from network import gradients, plain_losses, train, true_probability


def found(case):
    beta, threshold = case["options"]["beta"], case["options"]["threshold"]
    per_epoch = case["steps_per_epoch"]
    state = {"traces": [], "sums": {}, "start": None}

    def step_of(network, step, inputs, label):
        names = network.modalities
        if step % per_epoch == 0:
            state["sums"] = {m: 0.0 for m in names}
            state["start"] = {name: w.detach() for name, w in network.weights.items()}
        z = network.features(inputs)
        with torch.no_grad():
            scores = {m: float(true_probability(s, label).log().mean()) for m, s in network.alone(z).items()}
        losses = plain_losses(network, z, label)
        slopes = gradients(network, losses)
        traces, factors = state["traces"], {}
        for m in names:
            state["sums"][m] += sum(float((slopes[name] ** 2).sum()) for name in network.names_of(m))
            worse = [scores[o] for o in names if o != m and scores[o] < scores[m]]
            gap = sum(scores[m] - other for other in worse) / len(worse) if worse else 0.0
            rises = len(traces) >= 2 and (traces[-1][m] - traces[-2][m]) / traces[-1][m] > threshold
            factors[m] = math.exp(beta * math.tanh(gap)) if rises and gap > 0 else 0.0
        for m in names:
            for name in network.names_of(m):
                slopes[name] = slopes[name] + factors[m] * (network.weights[name].detach() - state["start"][name])
        if step % per_epoch == per_epoch - 1:
            traces.append({m: state["sums"][m] / per_epoch for m in names})
        return {"losses": losses, "gradients": slopes, "told": factors}

    return train(case, step_of)
