"""What the official code of RACO computes for the cases of a file: `raco_peer.py CLONE CASES`.

Its solvers for two and three objectives are functions of a file whose imports need much more. They are run by themselves;
around them stands what the trainer does with their solution.
"""

import ast
import json
import sys

import torch

clone, cases_file = sys.argv[1:3]
torch.set_default_dtype(torch.float64)
with open(f"{clone}/trl/trl/trainer/dpo_trainer.py") as file:
    tree = ast.parse(file.read())
solvers = [
    node
    for node in tree.body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("_raco")
]
code = {"torch": torch}
exec(compile(ast.Module(solvers, []), "dpo_trainer.py", "exec"), code)


def solved(b, H, s):
    if len(b) == 3:
        return code["_raco_solve_p_k3_exact"](b=b, H=H, s=s)[0]
    first, _ = code["_raco_solve_lambda_k2"](b[0], b[1], H[0, 0], H[0, 1], H[1, 1], s)
    return torch.tensor([first, 1 - first])


def computed(case):
    found = []
    for step in case["steps"]:
        rows = torch.tensor(step["jacobian"], dtype=torch.float64)
        w = torch.tensor(case["arguments"]["weights"])
        H = rows @ rows.T
        s = case["arguments"]["c"] * torch.sqrt(w @ H @ w)
        p = torch.minimum(solved(H @ w, H, s), w)
        length = torch.sqrt(p @ H @ p)
        weights = w + s / length * p if length > 0 else w
        found.append({"update": (weights @ rows).tolist()})
    return found


with open(cases_file) as file:
    cases = json.load(file)["cases"]
for case in cases:
    case["found"] = computed(case)
print(json.dumps({"cases": cases}))
