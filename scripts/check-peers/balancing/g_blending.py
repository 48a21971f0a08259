"""Wang, Tran and Feiszli, CVPR 2020: losses weighted by G_k / O_k², G_k the fall of the validation loss and O_k the growth of
its distance to the training loss since the last estimate. The cases are some in which rounding of the losses to float32 moves the
result by less than 1e-6: where O_k is small, w_k magnifies it."""

from network import gradients, plain_losses, train
from stages import validated, weighted


def found(case):
    every, per_epoch = case["options"].get("every", 1), case["steps_per_epoch"]
    state = {"before": None, "weights": None}
    sums = {}

    def step_of(network, step, inputs, label):
        losses = plain_losses(network, network.features(inputs), label)
        state["weights"] = state["weights"] or {name: 1.0 for name in losses}
        for name, loss in losses.items():
            sums[name] = (0 if step % per_epoch == 0 else sums[name]) + loss.item() / per_epoch
        slopes = gradients(network, weighted(losses, state["weights"]))
        return {"losses": losses, "gradients": slopes, "told": dict(state["weights"])}

    def after(network, epoch):
        before = state["before"]
        if before is not None and (epoch + 1) % every != 0:
            return
        losses, _ = validated(case, network)
        now = state["before"] = {k: {"training": sums[k], "validation": losses[k]} for k in sums}
        if before is None:
            return
        raw = {}
        for k in now:
            fall = before[k]["validation"] - now[k]["validation"]
            gap = now[k]["validation"] - now[k]["training"]
            growth = abs(gap - (before[k]["validation"] - before[k]["training"]))
            raw[k] = fall / max(growth, 0.01 * fall) ** 2 if fall > 0 else 0.0
        total = sum(raw.values())
        if total > 0:
            state["weights"] = {k: len(raw) * one / total for k, one in raw.items()}

    return train(case, step_of, after) | {"state": state}
