"""Yao and Mihalcea, ACL 2022: a learning rate for each encoder, which after every n epochs is multiplied with the modality's
accuracy on validation data over the mean of its last n accuracies."""

from network import gradients, plain_losses, train
from stages import validated


def found(case):
    options = case["options"]
    history, per_epoch = options.get("history", 5), case["steps_per_epoch"]
    state = {"rates": {}, "accuracies": {}}

    def step_of(network, step, inputs, label):
        names = network.modalities
        for m in names:
            state["rates"].setdefault(m, options.get(f"rates.{m}", 1))
            state["accuracies"].setdefault(m, [])
        losses = plain_losses(network, network.features(inputs), label)
        slopes = gradients(network, losses)
        for m in names:
            for name in network.names_of(m):
                slopes[name] = state["rates"][m] * slopes[name]
        return {"losses": losses, "gradients": slopes, "told": dict(state["rates"])}

    def after(network, epoch):
        if options.get("mode") == "keep":
            return
        _, accuracies = validated(case, network)
        for m in network.modalities:
            last = [*state["accuracies"][m], accuracies[m]][-history:]
            state["accuracies"][m] = last
            if (epoch + 1) % history == 0:
                state["rates"][m] *= last[-1] / (sum(last) / len(last))

    return train(case, step_of, after) | {"state": state}
