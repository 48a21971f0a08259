"""What TorchJD computes for the cases of a file: `torchjd_peer.py CASES` prints the same cases with what was found."""

import json
import sys
import warnings

import torch
from torchjd import aggregation, scalarization

warnings.filterwarnings("ignore", message="You are solving a parameterized problem that is not DPP")
torch.set_default_dtype(torch.float64)


def value(argument):
    if isinstance(argument, list):
        return torch.tensor(argument, dtype=torch.float64)
    # The weighting inside of another one.
    if isinstance(argument, str) and hasattr(aggregation, argument):
        return getattr(aggregation, argument)()
    return argument


def make(module, case):
    arguments = {name: value(argument) for name, argument in case.get("arguments", {}).items()}
    return getattr(module, case["name"])(**arguments)


def aggregated(case):
    """The update, or the weights where the class has no aggregator."""
    method = make(aggregation, case)
    found = []
    for step in case["steps"]:
        torch.manual_seed(case.get("seed", 0))
        jacobian = torch.tensor(step["jacobian"], dtype=torch.float64)
        if case["name"] in ("MoDoWeighting", "SDMGradWeighting"):
            second = torch.tensor(step["batches"][0], dtype=torch.float64)
            weights = method(jacobian @ second.T)
            third = torch.tensor(step["batches"][1], dtype=torch.float64)
            found.append({"update": (weights @ third).tolist()})
        elif case["name"] == "CRMOGMWeighting":
            found.append({"update": (method(jacobian @ jacobian.T) @ jacobian).tolist()})
        else:
            found.append({"update": method(jacobian).tolist()})
    return found


def scalarized(case):
    """The weights that the scalar gives to each loss."""
    scalarizer = make(scalarization, case)
    parameters = list(scalarizer.parameters()) if hasattr(scalarizer, "parameters") else []
    parameters = [p for p in parameters if p.requires_grad and case["name"] != "FAMO"]
    learned = torch.optim.SGD(parameters, lr=case.get("learning_rate", 0.001)) if parameters else None
    found = []
    for step in case["steps"]:
        torch.manual_seed(case.get("seed", 0))
        losses = torch.tensor(step["losses"], dtype=torch.float64, requires_grad=True)
        scalarizer(losses).backward()
        found.append({"weights": losses.grad.tolist()})
        if learned:
            learned.step()
            learned.zero_grad()
        if "after" in step:
            scalarizer.update(torch.tensor(step["after"], dtype=torch.float64))
        if step.get("epoch_ends"):
            scalarizer.step()
    return found


with open(sys.argv[1]) as file:
    cases = json.load(file)["cases"]
for case in cases:
    case["found"] = scalarized(case) if case["kind"] == "scalarization" else aggregated(case)
print(json.dumps({"cases": cases}))
