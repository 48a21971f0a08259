"""Steps of one workload in PyTorch: `steps.py WORKLOAD BATCH WIDTH`; one JSON request a line, one answer a line."""

import json
import os
import resource
import sys
import time

import torch
from methods import methods
from networks import make

workload, batch, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.manual_seed(1)
torch.set_num_threads(os.cpu_count())
known = methods()
cases = {}
for name in known:
    network, data = make(workload, batch, width)
    cases[name] = (network, data, torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9))


def answer(request):
    if request.get("memory"):
        return {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    network, data, optimizer = cases[request["case"]]
    start = time.perf_counter()
    known[request["case"]](network, network.losses(data), optimizer)
    return {"milliseconds": 1e3 * (time.perf_counter() - start)}


print(
    json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "cases": list(cases)}),
    flush=True,
)
for line in sys.stdin:
    try:
        print(json.dumps(answer(json.loads(line))), flush=True)
    except Exception as error:  # The other side prints it beside the case.
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
