"""What the official code of GO4Align computes for the cases of a file: `go4align_peer.py CLONE CASES`.

Its K-means comes from a package that it does not import any more and that starts at random. It gets the best partition here,
found by trying all of them.
"""

import importlib
import itertools
import json
import sys
import types

import torch

clone, cases_file = sys.argv[1:3]
# Imported by the code, used by other methods of the same file.
for name in ("cvxpy", "sklearn", "sklearn.cluster", "methods", "methods.sdp_kmeans"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["sklearn.cluster"].KMeans = sys.modules["sklearn.cluster"].SpectralClustering = None
for name in ("sdp_kmeans", "connected_components", "spectral_embedding"):
    setattr(sys.modules["methods.sdp_kmeans"], name, None)
sys.modules["methods"].__path__ = [f"{clone}/methods"]
torch.set_default_dtype(torch.float64)
cluster_methods = importlib.import_module("methods.cluster_methods")


def kmeans(X, num_clusters, distance, device):
    values = X[:, 0].tolist()

    def partition(groups):
        members = [
            [value for value, own in zip(values, groups) if own == group]
            for group in range(num_clusters)
        ]
        centers = [sum(own) / len(own) if own else 0.0 for own in members]
        cost = sum((value - centers[group]) ** 2 for value, group in zip(values, groups))
        return cost, groups, centers

    every = itertools.product(range(num_clusters), repeat=len(values))
    _, groups, centers = min(partition(groups) for groups in every)
    return torch.tensor(groups), torch.tensor(centers).unsqueeze(1)


cluster_methods.kmeans = kmeans


def computed(case):
    count = len(case["steps"][0]["losses"])
    method = cluster_methods.GO4ALIGN(count, torch.device("cpu"), **case["arguments"])
    found = []
    for step in case["steps"]:
        losses = torch.tensor(step["losses"], requires_grad=True)
        loss, _ = method.get_weighted_loss(losses)
        loss.backward()
        found.append({"weights": losses.grad.tolist()})
    return found


with open(cases_file) as file:
    cases = json.load(file)["cases"]
for case in cases:
    case["found"] = computed(case)
print(json.dumps({"cases": cases}))
