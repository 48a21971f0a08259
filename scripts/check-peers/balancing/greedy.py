"""Wu, Jastrzebski, Cho and Geras, ICML 2022: conditional learning speeds by gates and by encoders, and re-balancing steps that hold
the gates of a modality at their running means. The order of what happens in a step is that of the authors' code."""

import math

from network import gradients, plain_losses, train


def found(case):
    options = {"threshold": 0.01, "window": 5, "warmUp": 1, **case["options"]}
    per_epoch = case.get("steps_per_epoch", case.get("steps", 10))
    state = {"held": None, "left": 0, "means": {}, "paces": {}}

    def step_of(network, step, inputs, label):
        names, held = network.modalities, state["held"]

        def change(place, modality, gate):
            key = f"exchange{place}/{modality}/gate"
            mean, before = gate.mean(0).detach(), state["means"].get(key)
            state["means"][key] = mean if before is None else (mean + before * step) / (step + 1)
            return state["means"][key].expand_as(gate) if modality == held else gate

        losses = plain_losses(network, network.exchange_features(inputs, change), label)
        slopes = gradients(network, losses)
        if held is None:
            speeds = {}
            for m in names:
                main = [name for name in slopes if name.startswith((f"{m}/", f"head/{m}/"))]
                bypass = [name for name in slopes if name.startswith("exchange") and (f"/{m}/" in name or "/squeeze/" in name)]
                pace = [
                    sum(float((slopes[name] ** 2).sum()) for name in part)
                    / sum(float((network.weights[name].detach() ** 2).sum()) for name in part)
                    for part in [bypass, main]
                ]
                sums = state["paces"].setdefault(m, [0.0, 0.0])
                state["paces"][m] = [sums[0] + pace[0], sums[1] + pace[1]]
                gates, encoder = state["paces"][m]
                speeds[m] = math.log10(gates / encoder) if gates > 0 else -math.inf
            leads = {m: s - sum(speeds[o] for o in names if o != m) / (len(names) - 1) for m, s in speeds.items()}
            first = max(leads, key=leads.get)
            if step >= options["warmUp"] * per_epoch and leads[first] > options["threshold"]:
                state["held"], state["left"] = first, options["window"]
        else:
            state["left"] -= 1
            if state["left"] == 0:
                state["held"] = None
        return {"losses": losses, "gradients": slopes, "told": {m: float(m == held) for m in names}}

    trained = train(case, step_of)
    return {
        **trained,
        "state": {
            "paces": {m: {"gates": pace[0], "encoder": pace[1]} for m, pace in state["paces"].items()},
            "means": {key: mean.tolist() for key, mean in state["means"].items()},
            "held": state["held"],
            "left": state["left"],
        },
    }
