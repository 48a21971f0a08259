"""Ma et al., ICML 2023, equation 5, over a chain of subsets: one modality after the other is removed."""

import torch
from network import cross_entropy, plain_losses, train


def found(case):
    strength = case["options"]["lambda"]

    def step_of(network, step, inputs, label):
        z = network.features(inputs)
        present = label >= 0
        removed = case["removed"][step]
        assert len(removed) == len(network.modalities) - 1
        chain = [[m for m in network.modalities if m not in removed[:k]] for k in range(len(removed) + 1)]
        logits = [network.masked(z, kept) for kept in chain]
        confidences = [torch.softmax(each[present], 1).max(1).values for each in logits]
        rises = sum(torch.relu(less - more).mean() for more, less in zip(confidences, confidences[1:]))
        task = sum(cross_entropy(each, label) for each in logits) / len(logits)
        return {"losses": {**plain_losses(network, z, label), "multimodal": task + strength * rises}}

    return train(case, step_of)
