"""What LibMTL's weightings compute for the cases of a file: `libmtl_peer.py CLONE CASES`.

Its weightings are methods of a model. The model here has one shared vector t and the losses `L_k + <g_k, t>` at t = 0,
whose gradients are the rows of a case's Jacobian.
"""

import contextlib
import importlib
import json
import random
import sys
import types

import numpy as np
import torch

clone, cases_file = sys.argv[1:3]
# The package's own imports need torchvision and more, of which weightings use nothing.
for name in ("LibMTL", "LibMTL.weighting"):
    package = types.ModuleType(name)
    package.__path__ = [f"{clone}/{name.replace('.', '/')}"]
    sys.modules[name] = package
# What the code calls and newer versions of its libraries have taken out.
np.alltrue = np.all
torch.symeig = lambda matrix, eigenvectors: torch.linalg.eigh(matrix)

# Buffers are made in the default type.
torch.set_default_dtype(torch.float64)


class Decoders(dict):
    """MoDo divides the gradients of these, of which there are none."""


def model_of(case):
    weighting = getattr(importlib.import_module(f"LibMTL.weighting.{case['name']}"), case["name"])
    count = len(case["steps"][0]["losses"])
    width = len(case["steps"][0].get("jacobian", [[0.0]])[0])

    class Model(weighting):
        def get_share_params(self):
            return [self.shared]

        def zero_grad_share_params(self):
            self.shared.grad = torch.zeros_like(self.shared)

    Model.__bases__ = (weighting,)
    model = Model()
    model.task_num, model.task_name = count, [str(k) for k in range(count)]
    model.device, model.rep_grad, model.decoders = torch.device("cpu"), False, Decoders()
    model.shared = torch.nn.Parameter(torch.zeros(width))
    model.encoder = types.SimpleNamespace(zero_grad=model.zero_grad_share_params)
    model.epoch = 0
    model.train_loss_buffer = np.zeros((count, 16))
    model.init_param()
    return model


def losses_of(model, rows, values):
    return torch.stack(
        [
            value + torch.tensor(row, dtype=torch.float64) @ model.shared
            for row, value in zip(rows, values)
        ]
    )


def computed(case):
    model = model_of(case)
    arguments = case.get("arguments", {})
    learned = [p for name, p in model.named_parameters() if name == "loss_scale"]
    found = []
    for step in case["steps"]:
        random.seed(case.get("seed", 0))
        torch.manual_seed(case.get("seed", 0))
        model.epoch = step.get("epoch", 0)
        for epoch, means in enumerate(step.get("epoch_means", [])):
            model.train_loss_buffer[:, epoch] = means
        rows, values = step["jacobian"], step["losses"]
        model.shared.grad = None
        if case["name"] == "GradDrop":
            found.append({"update": dropped(model, rows, arguments)})
            continue
        if case["name"] == "MGDA":
            losses = losses_of(model, rows, values)
        elif "batches" in step:
            losses = [losses_of(model, batch, values) for batch in [rows, *step["batches"]]]
        else:
            losses = losses_of(model, rows, values)
        model.backward(losses, **arguments)
        found.append({"update": model.shared.grad.tolist()})
        with torch.no_grad():
            for parameter in learned:
                if parameter.grad is not None:
                    parameter -= case.get("learning_rate", 0.001) * parameter.grad
                    parameter.grad = None
        if "after" in step:
            model.update_w(torch.tensor(step["after"], dtype=torch.float64))
    return found


def dropped(model, rows, arguments):
    """GradDrop wants gradients of a representation: of one sample here, all of whose features are positive."""
    model.rep_grad = True
    model.rep = (model.shared + 1).unsqueeze(0)
    copies = [model.rep.detach().clone().requires_grad_() for _ in rows]
    model.rep_tasks = dict(zip(model.task_name, copies))
    losses = torch.stack(
        [(copy @ torch.tensor(row, dtype=torch.float64)).sum() for copy, row in zip(copies, rows)]
    )
    for copy in copies:
        copy.retain_grad()
    model.backward(losses, **arguments)
    return model.shared.grad.tolist()


with open(cases_file) as file:
    cases = json.load(file)["cases"]
# Some of it prints.
with contextlib.redirect_stdout(sys.stderr):
    for case in cases:
        case["found"] = computed(case)
print(json.dumps({"cases": cases}))
