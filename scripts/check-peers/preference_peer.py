"""What the official code of a method with preferences computes for the cases of a file: `preference_peer.py CLONE CASES`."""

import importlib.util
import json
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import torch
from scipy.optimize import linprog

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


def pmgda(case):
    # What the module takes from its package is not what is compared; importing that needs its whole library.
    for name in ["libmoon.solver.gradient.methods.base_solver", "libmoon.util.constant", "tqdm", "pymoo.indicators.hv"]:
        for part in range(1, name.count(".") + 2):
            sys.modules.setdefault(".".join(name.split(".")[:part]), MagicMock())
    folder = Path(clone) / "libmoon" / "solver" / "gradient" / "methods"
    loaded("libmoon.solver.gradient.methods.core.mgda_core", folder / "core" / "mgda_core.py")
    solver = loaded("pmgda_solver", folder / "pmgda_solver.py")
    # Its interior-point solver stops halfway at some of these programs: an exact one in its place.
    solver.solvers = MagicMock(lp=exact_lp)
    given = case["arguments"]
    for step in case["steps"]:
        losses = torch.tensor(step["losses"], dtype=torch.float64, requires_grad=True)
        distance = solver.constraint(losses, pref=torch.tensor(given["r"], dtype=torch.float32))
        distance.backward()
        weights = solver.solve_pmgda(
            torch.tensor(step["jacobian"], dtype=torch.float64),
            losses.grad,
            distance.detach().numpy(),
            given.get("h_tol", 0.01),
            given.get("sigma", 0.95),
        )
        yield {"weights": np.asarray(weights, dtype=float).tolist()}


def exact_lp(objective, rows, bounds):
    found = linprog(
        np.array(objective).ravel(), np.array(rows), np.array(bounds).ravel(), bounds=(None, None)
    )
    return {"x": found.x}


def ferero(case):
    sys.path.insert(0, str(Path(clone) / "toy_experiments"))
    solver = loaded(
        "ferero_solver", Path(clone) / "toy_experiments" / "solvers" / "min_norm_solvers_numpy.py"
    ).MinNormSolver
    solver.MAX_ITER, solver.STOP_CRIT = 2_000_000, 1e-15
    preference = np.array(case["arguments"]["r"], dtype=float)
    preference /= np.linalg.norm(preference)
    across = np.array([[preference[1], -preference[0]]])
    for step in case["steps"]:
        weights, _ = solver.find_min_norm_element_PGD_H(
            np.array(step["jacobian"], dtype=float),
            np.eye(2),
            across,
            across @ np.array(step["losses"], dtype=float),
        )
        yield {"weights": weights.tolist()}


def pcd(case):
    sys.path.insert(0, clone)
    from pcd.normalize import EMANormalizer
    from pcd.qp import solve_qp

    given = case["arguments"]
    normalizer = EMANormalizer(beta=given.get("beta", 0.999))
    for step in case["steps"]:
        # As `pcd_direction` of its README.
        rows = np.array(step["jacobian"], dtype=float)
        gramian = rows @ rows.T
        scales = normalizer(np.diag(gramian))
        if gramian[0, 0] == 0:
            yield {"weights": [0.0] * len(rows)}
            continue
        weights = solve_qp(gramian * np.outer(scales, scales), given.get("tau", 0.02)).weights
        length = np.linalg.norm((weights * scales) @ rows)
        factor = np.sqrt(gramian[0, 0]) / length if length > 0 else 0.0
        yield {"weights": (weights * scales * factor).tolist()}


def loaded(name, path):
    """A module of this name from a file, without the package around it."""
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


with open(cases_file) as file:
    cases = json.load(file)["cases"]
methods = {"EPO": epo, "PMGDA": pmgda, "FERERO": ferero, "PCD": pcd}
for case in cases:
    case["found"] = list(methods[case["name"]](case))
print(json.dumps({"cases": cases}))
