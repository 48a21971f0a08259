"""Rakib and Bagavathi, ICCV 2025, as their code has it: distillation from a teacher of each modality, and no update of the
encoder whose teacher is surest."""

import torch
from network import CLASSES, gradients, numbers, plain_losses, train
from stages import epoch_of


def found(case):
    options = case["options"]
    temperature = options.get("temperature", 1)

    def step_of(network, step, inputs, label):
        z = network.features(inputs)
        teachers = {
            f"{m}/dense1/{part}": numbers(300 + k, network.weights[f"{m}/dense1/{part}"].shape)
            for m in network.modalities
            for k, part in enumerate(["kernel", "bias"])
        }
        taught = network.features(inputs, teachers)
        losses = plain_losses(network, z, label)
        joint, scores = torch.log_softmax(network.joint(z) / temperature, 1), {}
        for m in network.modalities:
            logits = taught[m] @ numbers(302, (network.lengths[m], CLASSES)) + numbers(303, (CLASSES,))
            p = torch.softmax(logits / temperature, 1)
            divergence = torch.nn.functional.kl_div(joint, p, reduction="batchmean") * temperature**2
            losses["multimodal"] = losses["multimodal"] + options.get("logits", 1) * divergence
            distance = torch.nn.functional.mse_loss(z[m], taught[m])
            losses["multimodal"] = losses["multimodal"] + options.get("features", 1) * distance
            known = label >= 0
            scores[m] = torch.softmax(logits[known], 1).gather(1, label[known].unsqueeze(1)).mean().item()
        slopes = gradients(network, losses)
        if epoch_of(case, step) < options.get("priorityEpochs", 151):
            for name in network.names_of(max(scores, key=scores.get)):
                slopes[name] = torch.zeros_like(slopes[name])
        return {"losses": losses, "gradients": slopes}

    return train(case, step_of)
