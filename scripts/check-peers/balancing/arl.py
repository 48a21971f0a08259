"""Wei, Luo and Luo, ICCV 2025, as its code computes the weights w: encoders' gradients times 1 + w, and losses of single
modalities through the shared fusion and head."""

import torch
from network import cross_entropy, gradients, train
from stages import epoch_of, evaluated, weighted


def found(case):
    options = case["options"]
    last = None

    def step_of(network, step, inputs, label):
        nonlocal last
        last = network
        begun = epoch_of(case, step) > options.get("start", 5)
        z = network.features(inputs)
        alone = [network.masked(z, [m]) for m in network.modalities]
        losses = {"multimodal": cross_entropy(network.joint(z), label)}
        losses |= {m: cross_entropy(own, label) for m, own in zip(network.modalities, alone)}
        gamma = options.get("gamma", 4) if begun else 1
        slopes = gradients(network, weighted(losses, {m: gamma for m in network.modalities}))
        known = [own.detach()[label >= 0] for own in alone]
        strength = [own.abs().mean(0).sum().item() for own in known]
        spread = [torch.distributions.Categorical(logits=own).entropy().mean().item() for own in known]
        sure = [1 / max(own / sum(spread), 0.3) for own in spread]
        sure = [own / sum(sure) for own in sure]
        leans = [own / sum(strength) for own in strength]
        exponents = torch.tensor([leans[1] * sure[0], leans[0] * sure[1]]) * options.get("temperature", 8)
        factors = (1 + torch.softmax(exponents, 0)).tolist() if begun else [1.0, 1.0]
        for m, factor in zip(network.modalities, factors):
            for name in network.names_of(m):
                slopes[name] = factor * slopes[name]
        return {"losses": losses, "gradients": slopes}

    def objectives_of(network, z, label):
        losses = {m: cross_entropy(network.masked(z, [m]), label) for m in network.modalities}
        return losses | {"multimodal": cross_entropy(network.joint(z), label)}

    return train(case, step_of) | {"evaluated": evaluated(case, last, objectives_of)}
