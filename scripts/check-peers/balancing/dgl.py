"""Wei, Luo and Luo, ICCV 2025: the joint loss stops before the encoders, which learn from the joint head's losses on their
features alone; these stop before the fusion and the head."""

from network import cross_entropy, gradients, train


def found(case):
    alpha = case["options"]["alpha"]

    def step_of(network, step, inputs, label):
        z = network.features(inputs)
        fixed = {m: features.detach() for m, features in z.items()}
        joint = cross_entropy(network.joint(fixed), label)
        alone = {m: cross_entropy(network.masked(z, [m]), label) for m in network.modalities}
        heads = {m: cross_entropy(network.head(m, fixed), label) for m in network.modalities}
        slopes = gradients(network, {"joint": joint, **heads})
        for m in network.modalities:
            of_encoder = gradients(network, {m: alpha * alone[m]})
            for name in network.names_of(m):
                slopes[name] = slopes[name] + of_encoder[name]
        losses = {"multimodal": joint, **{m: alpha * alone[m] + heads[m] for m in network.modalities}}
        return {"losses": losses, "gradients": slopes}

    return train(case, step_of)
