"""Steps of one workload in PyTorch: `steps.py WORKLOAD BATCH WIDTH [THREADS] [compile]`; one JSON request a line, one answer a line."""

import json
import os
import resource
import sys
import time

import torch
from agreement import gradients
from methods import methods
from networks import make

workload, batch, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
threads = sys.argv[4] if len(sys.argv) > 4 else "auto"
torch.manual_seed(1)
torch.set_num_threads(os.cpu_count() if threads == "auto" else int(threads))
known = methods()
cases = {}
for name in known:
    network, data = make(workload, batch, width)
    cases[name] = (network, data, torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9))

uncompiled = None
if "compile" in sys.argv[5:]:
    # Gradients of several losses go through one graph of the backward pass, which must keep its buffers.
    torch._functorch.config.donated_buffer = False
    for name in ("sum", "mmpareto, by hand"):
        try:
            network, data = make(workload, batch, width)
            network.losses = torch.compile(network.losses)
            optimizer = torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9)
            known[name](network, network.losses(data), optimizer)
            known[f"{name}, compiled"] = known[name]
            cases[f"{name}, compiled"] = (network, data, optimizer)
        except Exception as error:  # It needs a compiler, and does not know every network.
            uncompiled = f"{name}: {type(error).__name__}: {str(error).splitlines()[0]}"


def answer(request):
    if "weights" in request:
        return gradients(workload, batch, width, request["weights"])
    if request.get("memory"):
        return {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    network, data, optimizer = cases[request["case"]]
    start = time.perf_counter()
    known[request["case"]](network, network.losses(data), optimizer)
    return {"milliseconds": 1e3 * (time.perf_counter() - start)}


print(
    json.dumps(
        {"torch": torch.__version__, "threads": torch.get_num_threads(), "cases": list(cases)}
        | ({} if uncompiled is None else {"uncompiled": uncompiled})
    ),
    flush=True,
)
for line in sys.stdin:
    try:
        print(json.dumps(answer(json.loads(line))), flush=True)
    except Exception as error:  # The other side prints it beside the case.
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
