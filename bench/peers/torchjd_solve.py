"""Weights from a given Gramian by TorchJD, timed: one JSON request a line on standard input, one answer a line.

Needs torch and torchjd[full]; asked and paced by bench/src/solve.mjs.
"""

import json
import sys
import time

import torch
import torchjd
from torchjd import aggregation

torch.set_num_threads(1)


class NashFromGramian:
    """Nash-MTL takes a matrix: a square root of the Gramian is the smallest that there is."""

    def __init__(self, size):
        self.aggregator = aggregation.NashMTL(n_tasks=size)

    def prepare(self, gramian):
        return torch.linalg.cholesky(gramian)

    def __call__(self, root):
        return self.aggregator.weighting(root)


def plain(weighting):
    weighting.prepare = lambda gramian: gramian
    return weighting


# Options are those under which both sides compute the same thing.
CASES = {
    "pcgrad": lambda size: plain(aggregation.PCGradWeighting()),
    "mgda": lambda size: plain(aggregation.MGDAWeighting()),
    "imtl-g": lambda size: plain(aggregation.IMTLGWeighting()),
    "aligned-mtl": lambda size: plain(aggregation.AlignedMTLWeighting()),
    "upgrad": lambda size: plain(aggregation.UPGradWeighting()),
    "dualproj": lambda size: plain(aggregation.DualProjWeighting()),
    "cagrad": lambda size: plain(aggregation.CAGradWeighting(c=0.5)),
    "nash-mtl": NashFromGramian,
    "fairgrad": lambda size: plain(aggregation.FairGradWeighting(alpha=1.0)),
    "gradvac": lambda size: plain(aggregation.GradVacWeighting()),
    "krum": lambda size: plain(aggregation.KrumWeighting(n_byzantine=0)),
}


def answer(request):
    size = request["size"]
    weighting = CASES[request["case"]](size)
    inputs = [
        weighting.prepare(torch.tensor(values, dtype=torch.float64).reshape(size, size))
        for values in request["gramians"]
    ]
    weights = [weighting(value).tolist() for value in inputs]
    calls = 0
    start = time.perf_counter()
    end = start
    while end - start < request["seconds"]:
        for value in inputs:
            weighting(value)
        calls += len(inputs)
        end = time.perf_counter()
    return {"microseconds": 1e6 * (end - start) / calls, "weights": weights}


print(json.dumps({"torch": torch.__version__, "cases": list(CASES)}), flush=True)
with torch.no_grad():
    for line in sys.stdin:
        try:
            print(json.dumps(answer(json.loads(line))), flush=True)
        except Exception as error:  # The other side prints it beside the case.
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
