"""Hua and others, ICML 2024, the losses of its code: stages that each boost one modality, then all learners together."""

import torch
from network import CLASSES, cross_entropy, gradients, train
from stages import epoch_of, evaluated


def found(case):
    options = case["options"]
    boosts, together = options.get("stageEpochs", 4), options.get("jointEpochs", 4)
    last = None

    def ensemble(network, z, learners):
        return sum(network.head(m, z) for m in learners)

    def step_of(network, step, inputs, label):
        nonlocal last
        last = network
        stage, within = divmod(epoch_of(case, step), boosts + together)
        turn = network.modalities[stage % len(network.modalities)]
        learners = network.modalities[: stage + 1]
        z = network.features(inputs)
        losses = {"multimodal": cross_entropy(ensemble(network, z, learners), label)}
        losses |= {m: cross_entropy(network.head(m, z), label) for m in network.modalities}
        trains = "multimodal"
        if within < boosts:
            trains = turn
            target = torch.nn.functional.one_hot(label, CLASSES).double()
            others = [m for m in network.modalities[:stage] if m != turn]
            sure = torch.softmax(ensemble(network, z, others).detach(), 1) if others else torch.ones_like(target)
            own = torch.log_softmax(network.head(turn, z), 1)
            error = -options.get("agreement", 5) * (target * own).mean(-1)
            losses[turn] = (error + options.get("reconcilement", 1) * (target * sure * own).mean(-1)).mean()
        return {"losses": losses, "gradients": gradients(network, {trains: losses[trains]})}

    def objectives_of(network, z, label):
        losses = {m: cross_entropy(network.head(m, z), label) for m in network.modalities}
        stage = epoch_of(case, case.get("steps", 10) - 1) // (boosts + together)
        return losses | {"multimodal": cross_entropy(ensemble(network, z, network.modalities[: stage + 1]), label)}

    return train(case, step_of) | {"evaluated": evaluated(case, last, objectives_of)}
