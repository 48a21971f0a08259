"""Xu, Feng, Zhang and Hu, ICASSP 2023, equation 5: joint logits s Σ_m cos(z_m, W_m), column by column."""

from network import cross_entropy, plain_losses, train


def found(case):
    scale = case["options"]["scale"]

    def step_of(network, step, inputs, label):
        z = network.features(inputs)
        kernel, start, logits = network.weights["head/multimodal/kernel"], 0, 0
        for m in network.modalities:
            rows = kernel[start : start + network.lengths[m]]
            start += network.lengths[m]
            unit = lambda x, axis: x / x.norm(dim=axis, keepdim=True).clamp_min(1e-12)
            logits = logits + scale * unit(z[m], 1) @ unit(rows, 0)
        return {"losses": {**plain_losses(network, z, label), "multimodal": cross_entropy(logits, label)}}

    return train(case, step_of)
