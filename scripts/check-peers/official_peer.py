"""What the official code of FairGrad or SDMGrad computes for the cases of a file: `official_peer.py CLONE CASES`."""

import json
import sys

import numpy as np
import torch

clone, cases_file = sys.argv[1:3]
sys.path.insert(0, clone)
# What the code calls and newer versions of its libraries have taken out.
np.alltrue = np.all
torch.set_default_dtype(torch.float64)

from methods import weight_methods  # noqa: E402


def computed(case):
    found = []
    count = len(case["steps"][0]["jacobian"])
    method = getattr(weight_methods, case["name"])(
        count, device=torch.device("cpu"), **case.get("arguments", {})
    )
    for step in case["steps"]:
        shared = torch.nn.Parameter(torch.zeros(len(step["jacobian"][0])))
        rows = [row for batch in [step["jacobian"], *step.get("batches", [])] for row in batch]
        losses = [torch.tensor(row, dtype=torch.float64) @ shared for row in rows]
        method.backward(losses, shared_parameters=[shared])
        found.append({"update": shared.grad.tolist()})
    return found


with open(cases_file) as file:
    cases = json.load(file)["cases"]
for case in cases:
    case["found"] = computed(case)
print(json.dumps({"cases": cases}))
