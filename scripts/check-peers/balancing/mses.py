"""Fujimori, Endo, Kawai and Mochizuki, ACPR 2019, with the usual rule of early stopping: a modality's encoder and head rest once
its validation loss has not fallen for some epochs."""

import torch
from network import gradients, plain_losses, train
from stages import validated


def found(case):
    options = case["options"]
    patience, least = options.get("patience", 3), options.get("minDelta", 0)
    courses, stopped = {}, set()

    def step_of(network, step, inputs, label):
        losses = plain_losses(network, network.features(inputs), label)
        slopes = gradients(network, losses)
        for m in stopped:
            for name in [*network.names_of(m), *network.names_of(f"head/{m}")]:
                slopes[name] = torch.zeros_like(slopes[name])
        return {"losses": losses, "gradients": slopes, "told": sorted(stopped)}

    def after(network, epoch):
        losses, _ = validated(case, network)
        for m in network.modalities:
            if m not in stopped:
                courses.setdefault(m, []).append(losses[m])
                at = best_of(courses[m], least)
                if len(courses[m]) - 1 - at >= patience:
                    stopped.add(m)

    trained = train(case, step_of, after)
    state = {
        m: {
            "best": course[best_of(course, least)],
            "waited": len(course) - 1 - best_of(course, least),
            "stopped": m in stopped,
        }
        for m, course in courses.items()
    }
    return trained | {"state": state}


def best_of(course, least):
    """The place of the last loss that was lower by more than `least` than the one that counted before it."""
    at = 0
    for t, loss in enumerate(course):
        if loss < course[at] - least:
            at = t
    return at
