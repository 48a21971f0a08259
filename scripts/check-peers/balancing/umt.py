"""Du et al., ICML 2023: the mean squared distance to each unimodal teacher's features, times a weight."""

from network import numbers, plain_losses, train


def found(case):
    weight = case["options"]["weight"]

    def step_of(network, step, inputs, label):
        z = network.features(inputs)
        teachers = {
            f"{m}/dense1/{part}": numbers(300 + k, network.weights[f"{m}/dense1/{part}"].shape)
            for m in network.modalities
            for k, part in enumerate(["kernel", "bias"])
        }
        taught = network.features(inputs, teachers)
        losses = plain_losses(network, z, label)
        distance = sum(((z[m] - taught[m]) ** 2).mean() for m in network.modalities)
        losses["multimodal"] = losses["multimodal"] + weight * distance
        return {"losses": losses}

    return train(case, step_of)
