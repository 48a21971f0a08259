"""Wei, Hu, Du and Wen, TPAMI 2024, equations 6 to 8, and the official code's rescaling and share of executed drops."""

import math

import torch
from network import cross_entropy, plain_losses, train, true_probability


def found(case):
    q_base, strength = case["options"]["qBase"], case["options"]["lambda"]

    def step_of(network, step, inputs, label):
        z = network.features(inputs)
        with torch.no_grad():
            scores = {m: float(true_probability(s, label).sum()) for m, s in network.alone(z).items()}
        others = len(network.modalities) - 1
        ratios = {
            m: sum(scores[m] / scores[o] for o in network.modalities if o != m) / others for m in network.modalities
        }
        q = {
            m: min(1.0, q_base * (1 + strength * math.tanh(r - 1))) if r > 1 else 0.0 for m, r in ratios.items()
        }
        losses = plain_losses(network, z, label)
        drawn = case["drawn"][step]
        if drawn["executed"]:
            theta = sum(network.lengths[m] * q[m] for m in q) / sum(network.lengths.values())
            kept = {m: (torch.tensor(drawn["uniform"][m]) >= q[m]).double().unsqueeze(1) for m in q}
            dropped = {m: z[m] * kept[m] / (1 - theta) for m in q}
            losses["multimodal"] = cross_entropy(network.joint(dropped), label)
        return {"losses": losses, "told": {"ratio": ratios, "q": q}}

    return train(case, step_of)
