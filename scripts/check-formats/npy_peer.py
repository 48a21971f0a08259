"""Writes .npy files of several types, shapes and versions into a folder, and prints their numbers: `npy_peer.py FOLDER`."""

import json
import sys

import numpy as np

folder = sys.argv[1]
random = np.random.default_rng(4)
shapes = [(7,), (2, 3), (4, 5, 3), (1, 2, 3, 4)]
types = ["?", "u1", "i1", "<u2", "<i2", "<u4", "<i4", "<i8", "<u8", "<f4", "<f8"]
found = []
for at, kind in enumerate(types):
    shape = shapes[at % len(shapes)]
    values = (random.normal(size=shape) * 50).astype(np.int64) % 100
    array = (values + (0.25 if "f" in kind else 0)).astype(kind)
    path = f"{folder}/{at}.npy"
    with open(path, "wb") as file:
        np.lib.format.write_array(file, array, version=(1 + at % 3, 0))
    found.append({"path": path, "shape": shape, "values": array.astype(float).ravel().tolist()})
np.save(f"{folder}/columns.npy", np.asfortranarray(np.ones((3, 4))))
np.save(f"{folder}/big.npy", np.ones(3, ">f4"))
print(json.dumps(found))
