"""Zhang and others, CVPR 2024: alternation through one shared head, whose gradient is projected; the division by scalars
is that of recursive least squares, the one by elements that of the authors' code."""

import torch
from network import cross_entropy, gradients, train
from stages import evaluated


def found(case):
    options = case["options"]
    projection = torch.eye(4)
    last = None

    def shared(network, z):
        return z @ network.weights["head/multimodal/kernel"] + network.weights["head/multimodal/bias"]

    def fused(network, z):
        logits = torch.stack([shared(network, z[m]) for m in network.modalities])
        entropy = torch.distributions.Categorical(logits=logits).entropy()
        trust = torch.exp(entropy.max(0).values - entropy)
        return ((trust / trust.sum(0)).unsqueeze(2) * logits).sum(0)

    def objectives_of(network, z, label):
        losses = {m: cross_entropy(shared(network, z[m]), label) for m in network.modalities}
        return losses | {"multimodal": cross_entropy(fused(network, z), label)}

    def step_of(network, step, inputs, label):
        nonlocal projection, last
        last = network
        turn = network.modalities[step % len(network.modalities)]
        z = network.features(inputs)
        losses = objectives_of(network, z, label)
        slopes = gradients(network, {turn: losses[turn]})
        if step > 0:
            length = options.get("stepsPerEpoch", 0)
            passed = step % length / length if length > 0 else 0
            alpha = options.get("alpha", 0.1) * 0.1**passed
            mean = z[turn].detach().mean(0, keepdim=True).T
            k = projection @ mean
            below = alpha + (k @ mean.T if options.get("division") == "elements" else mean.T @ k)
            projection = projection - k @ k.T / below
            projection = projection / torch.linalg.norm(projection)
            slopes["head/multimodal/kernel"] = projection @ slopes["head/multimodal/kernel"]
        return {"losses": losses, "gradients": slopes}

    return train(case, step_of) | {
        "evaluated": evaluated(case, last, objectives_of),
        "state": {"projection": projection.flatten().tolist()},
    }
