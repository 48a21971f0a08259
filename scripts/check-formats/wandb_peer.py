"""Reads the offline run that wandb has written and checks every value."""

import json
import math
import struct
import sys
from pathlib import Path

from wandb.proto import wandb_internal_pb2 as protocol

# The file is a log of LevelDB's make behind a header of 7 bytes: blocks of 32 KiB, chunks with checksum, length and kind.
[path] = Path(sys.argv[1]).glob("wandb/offline-run-*-sum-seed0/*.wandb")
data = path.read_bytes()
records, record, at = [], b"", 7
while at + 7 <= len(data):
    if (left := 32768 - at % 32768) < 7:
        at += left
        continue
    length, kind = struct.unpack("<HB", data[at + 4 : at + 7])
    record += data[at + 7 : at + 7 + length]
    at += 7 + length
    if kind in (1, 4):
        records.append(protocol.Record.FromString(record))
        record = b""
[run] = [one.run for one in records if one.WhichOneof("record_type") == "run"]
assert (run.project, run.run_id) == ("digits", "sum-seed0"), run
history = []
for one in records:
    if one.WhichOneof("record_type") == "history":
        items = {item.key or "/".join(item.nested_key): item.value_json for item in one.history.item}
        history.append({key: json.loads(value) for key, value in items.items()})
assert [line["_step"] for line in history] == list(range(8)), history
for line in history:
    step = line["_step"]
    expected = {
        "loss/near": 1 / (step + 1),
        "loss/far": 2,
        "norm/encoder/near": 1,
        "norm/encoder/far": step + 1,
        "cosine/encoder/near far": -0.5,
        "weight/encoder/near": 0.25,
        "weight/encoder/far": 0.75,
        "conflict/encoder": 1,
    }
    assert {key for key in line if not key.startswith("_")} == set(expected), line
    for key, value in expected.items():
        assert math.isclose(line[key], value, rel_tol=1e-6), (key, line)
print(f"wandb: {len(history)} steps of {len(expected)} values read, equal.")
