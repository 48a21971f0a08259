"""Reads ours.safetensors, checks every value, and writes theirs.safetensors."""

import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

folder = Path(sys.argv[1])
expected = {
    "encoder/kernel": np.array([[1, -2, 0.5], [1e-30, 3e38, 0]], np.float32),
    "scalar": np.array(0.1, np.float32),
    "empty": np.zeros((0, 4), np.float32),
    "labels": np.array([-1, 0, 2**31 - 1], np.int32),
    "mask": np.array([True, False, True]),
    "fine": np.array([np.pi]),
    'Größe "1"\n': np.array([255], np.uint8),
}
with safe_open(folder / "ours.safetensors", framework="numpy") as file:
    assert file.metadata() == {"made": "here"}, file.metadata()
    assert set(file.keys()) == set(expected), file.keys()
    for name, value in expected.items():
        found = file.get_tensor(name)
        assert found.dtype == value.dtype and found.shape == value.shape, name
        assert np.array_equal(found, value), name



def counted(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


kernel, dense = counted(3, 2, 4, 5), counted(2, 3)
networks = {
    "tensorflow": {"conv/kernel": kernel, "conv/bias": counted(5), "dense/kernel": dense},
    "torch": {"conv.weight": kernel.transpose(3, 2, 0, 1), "conv.bias": counted(5), "dense.weight": dense.T},
}
for convention, weights in networks.items():
    with safe_open(folder / f"{convention}.safetensors", framework="numpy") as file:
        assert file.metadata() == {"step": "7"}, file.metadata()
        assert set(file.keys()) == set(weights), file.keys()
        for name, value in weights.items():
            assert np.array_equal(file.get_tensor(name), value), name

types = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
}
theirs = {name: np.array([1.5, -2] if name[0] == "F" else [1, -2], kind) for name, kind in types.items()}
theirs["U8"] = np.array([1, 254], np.uint8)
theirs["BOOL"] = np.array([True, False])
save_file(theirs, folder / "theirs.safetensors", metadata={"made": "there"})
