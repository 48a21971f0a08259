"""Fan, Xu, Wang, Wang and Guo, CVPR 2023, section 3: a modality that lags is drawn to its classes' mean features, one that leads
keeps its entropy; prototypes follow these means by a momentum before each epoch."""

import torch
from network import CLASSES, batch, plain_losses, train


def found(case):
    options = case["options"]
    alpha, mu, momentum = options["alpha"], options["mu"], options["momentum"]
    per_epoch = case["steps_per_epoch"]
    state = {"updates": 0, "prototypes": {}}

    def update(network):
        batches = [batch(step, network.modalities, case.get("missing", False)) for step in range(100, 104)]
        label = torch.cat([one for _, one in batches])
        for m in network.modalities:
            with torch.no_grad():
                z = torch.cat([network.features(inputs)[m] for inputs, _ in batches])
            means = torch.stack([z[label == k].mean(0) for k in range(CLASSES)])
            old = state["prototypes"].get(m)
            state["prototypes"][m] = means if old is None else momentum * old + (1 - momentum) * means
        state["updates"] += 1

    def step_of(network, step, inputs, label):
        if step % per_epoch == 0:
            update(network)
        names, known = network.modalities, label >= 0
        z = network.features(inputs)
        losses = plain_losses(network, z, label)
        chances = {}
        for m in names:
            differences = z[m][known].unsqueeze(1) - state["prototypes"][m].unsqueeze(0)
            chances[m] = torch.softmax(-differences.norm(dim=2), 1)
        true = {m: p.gather(1, label[known].unsqueeze(1)).squeeze(1) for m, p in chances.items()}
        told = {}
        for m in names:
            others = sum(float(true[o].detach().sum()) for o in names if o != m) / (len(names) - 1)
            rho = float(true[m].detach().sum()) / others
            lag, lead = min(1.0, max(0.0, 1 / rho - 1)), min(1.0, max(0.0, rho - 1))
            lead = lead if state["updates"] <= options.get("entropyUpdates", 10) else 0.0
            entropy = -(chances[m] * chances[m].log()).sum(1).mean()
            losses["multimodal"] = losses["multimodal"] - alpha * lag * true[m].log().mean() - mu * lead * entropy
            told[m] = [lag, lead]
        return {"losses": losses, "told": told}

    trained = train(case, step_of)
    prototypes = {m: rows.tolist() for m, rows in state["prototypes"].items()}
    return trained | {"state": {"updates": state["updates"], "prototypes": prototypes}}
