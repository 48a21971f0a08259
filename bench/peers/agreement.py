"""Losses and gradients from the weights of the other side, under its names and in its layout."""

import torch
from networks import make


def places(workload, network):
    """For each variable of the other side: the parameter, and the part of it and its layout as functions of a tensor."""
    whole, transposed = (lambda x: x), (lambda x: x.T)
    part = lambda first, count: lambda x: x[first : first + count].T if x.dim() == 2 else x[first : first + count]
    heads = {}
    for name, head in zip(("left", "right"), network.heads):
        heads |= {f"head/{name}/kernel": (head.weight, transposed), f"head/{name}/bias": (head.bias, whole)}
    trunk = network.trunk
    if workload == "mlp":
        own = {}
        for name, layer in (("dense1", trunk[0]), ("dense2", trunk[2])):
            own |= {f"{name}/kernel": (layer.weight, transposed), f"{name}/bias": (layer.bias, whole)}
        return heads | {f"trunk/{name}": place for name, place in own.items()}
    if workload in ("lstm", "lstm-layers"):
        embedding, recurrent = ("tokens/embedding", "lstm/recurrent/kernel") if workload == "lstm" else (
            "embedding/embeddings", "lstm/recurrent_kernel"
        )
        own = {
            embedding: (trunk.tokens.weight, whole),
            "lstm/kernel": (trunk.lstm.weight_ih_l0, transposed),
            recurrent: (trunk.lstm.weight_hh_l0, transposed),
            "lstm/bias": (trunk.lstm.bias_ih_l0, whole),
        }
        return heads | {f"trunk/{name}": place for name, place in own.items()}
    own = {
        "tokens/embedding": (trunk.tokens.weight, whole),
        "position/embedding": (trunk.position, whole),
        "norm/gamma": (trunk.norm.weight, whole),
        "norm/beta": (trunk.norm.bias, whole),
    }
    for number, block in enumerate(trunk.blocks, 1):
        at = f"block{number}"
        width = block.out.in_features
        for k, role in enumerate(("query", "key", "value")):
            own[f"{at}/attention/{role}/kernel"] = (block.project.weight, part(k * width, width))
            own[f"{at}/attention/{role}/bias"] = (block.project.bias, part(k * width, width))
        for name, layer in (("attention/output", block.out), ("dense1", block.dense1), ("dense2", block.dense2)):
            own |= {f"{at}/{name}/kernel": (layer.weight, transposed), f"{at}/{name}/bias": (layer.bias, whole)}
        for name, layer in (("norm1", block.norm1), ("norm2", block.norm2)):
            own |= {f"{at}/{name}/gamma": (layer.weight, whole), f"{at}/{name}/beta": (layer.bias, whole)}
    return heads | {f"trunk/{name}": place for name, place in own.items()}


def gradients(workload, batch, width, weights):
    network, data = make(workload, batch, width)
    known = places(workload, network)
    unknown = set(weights) ^ set(known)
    if unknown:
        raise ValueError(f"variables should be those of both sides. Found {sorted(unknown)} on one.")
    with torch.no_grad():
        if workload in ("lstm", "lstm-layers"):
            network.trunk.lstm.bias_hh_l0.zero_()
        for name, given in weights.items():
            parameter, view = known[name]
            view(parameter).copy_(torch.tensor(given["values"]).view(given["shape"]))
    answer = {"losses": {}, "gradients": {}}
    for name, loss in zip(("left", "right"), network.losses(data)):
        network.zero_grad()
        loss.backward(retain_graph=True)
        answer["losses"][name] = loss.item()
        answer["gradients"][name] = {
            variable: view(parameter.grad).flatten().tolist()
            for variable, (parameter, view) in known.items()
            if parameter.grad is not None
        }
    return answer
