"""What several references of methods share that change what trains or what is drawn."""

import torch
from network import batch, cross_entropy, plain_losses


def epoch_of(case, step):
    """The number of a step's epoch."""
    return step // case.get("steps_per_epoch", case.get("steps", 10))


def weighted(losses, weights):
    """The gradients' losses: each times its weight, left out where that is 0."""
    return {name: weights.get(name, 1) * loss for name, loss in losses.items() if weights.get(name, 1) != 0}


def evaluated(case, network, objectives_of):
    """Losses of a batch that comes after training, as evaluation has them."""
    inputs, label = batch(case.get("steps", 10), network.modalities, case.get("missing", False))
    losses = objectives_of(network, network.features(inputs), label)
    return [losses[name].item() for name in ["multimodal", *network.modalities]]


def masked_losses(masks, network, inputs, label):
    """Losses of features that are 0 where a sample lacks the modality; a head's own over the samples that have it."""
    has = {m: torch.tensor(masks[m], dtype=torch.float64).unsqueeze(1) for m in network.modalities}
    z = {m: own * has[m] for m, own in network.features(inputs).items()}
    losses = {"multimodal": cross_entropy(network.joint(z), label)}
    for m in network.modalities:
        present = torch.where(has[m].squeeze(1) > 0, label, -1)
        own = cross_entropy(network.head(m, z), present)
        losses[m] = own if (present >= 0).any() else 0 * z[m].sum()
    return losses


def validated(case, network):
    """The losses on validation data, and the accuracies of the modalities' heads: means over the labelled samples."""
    batches = [batch(step, network.modalities, case.get("missing", False)) for step in range(104, 107)]
    inputs = {m: torch.cat([one[m] for one, _ in batches]) for m in network.modalities}
    label = torch.cat([one for _, one in batches])
    known = label >= 0
    with torch.no_grad():
        z = network.features(inputs)
        losses = {name: loss.item() for name, loss in plain_losses(network, z, label).items()}
        hits = {m: (network.head(m, z).argmax(1) == label)[known].double() for m in network.modalities}
    return losses, {m: one.mean().item() for m, one in hits.items()}
