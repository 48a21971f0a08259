"""What the official code of a method with preferences computes for the cases of a file: `preference_peer.py CLONE CASES`."""

import json
import sys
from pathlib import Path

import numpy as np

clone, cases_file = sys.argv[1:3]


def epo(case):
    sys.path.insert(0, str(Path(clone) / "toy_experiments" / "solvers"))
    from epo_lp import EPO_LP

    given = case["arguments"]
    preference = np.array(given["r"], dtype=float)
    solver = EPO_LP(len(preference), 1, preference, eps=given.get("eps", 1e-4))
    for step in case["steps"]:
        weights = solver.get_alpha(
            np.array(step["losses"], dtype=float),
            np.array(step["jacobian"], dtype=float),
            relax=given.get("relax", 0) == 1,
        )
        yield {"weights": weights.tolist()}


with open(cases_file) as file:
    cases = json.load(file)["cases"]
methods = {"EPO": epo}
for case in cases:
    case["found"] = list(methods[case["name"]](case))
print(json.dumps({"cases": cases}))
