"""Reads the event files of a folder as TensorBoard does and checks every value."""

import math
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0})
events.Reload()
group = "encoder/near+far"
steps = range(16)
cosines = [-1 + step / 8 for step in steps]
expected = {
    "loss/near": [1 / (step + 1) for step in steps],
    "loss/far": [2] * 16,
    f"norm/{group}/near": [1] * 16,
    f"norm/{group}/far": [step + 1 for step in steps],
    f"cosine/{group}/near far": cosines,
    f"weight/{group}/near": [0.25] * 16,
    f"weight/{group}/far": [0.75] * 16,
    f"conflict/{group}": [float(step < 8) for step in steps],
}
assert set(events.Tags()["scalars"]) == {*expected, "epoch/loss"}, events.Tags()
for tag, values in expected.items():
    found = events.Scalars(tag)
    # Steps 8 to 13 were written twice: the mark of the second start revoked the first ones.
    assert [event.step for event in found] == list(steps), (tag, found)
    for event, value in zip(found, values):
        assert math.isclose(event.value, value, rel_tol=1e-6), (tag, event)
        assert event.wall_time == (1_700_000_000 if event.step < 8 else 1_700_000_001), event
assert [(event.step, event.value) for event in events.Scalars("epoch/loss")] == [
    (3, 3),
    (7, 7),
    (11, 1011),
    (15, 1015),
]
tags = [f"histogram/{tag}" for tag in expected if tag.startswith(("norm", "cosine", "weight"))]
assert set(events.Tags()["histograms"]) == {*tags, "variable/kernel"}, events.Tags()
for event in events.Histograms(f"histogram/norm/{group}/far"):
    histogram = event.histogram_value
    assert (histogram.min, histogram.max) == (event.step - 2, event.step + 1), event
    assert (histogram.num, sum(histogram.bucket)) == (4, 4), event
kernel = events.Histograms("variable/kernel")[0].histogram_value
assert (kernel.min, kernel.max, kernel.sum, kernel.sum_squares) == (-2, 2, 0.5, 8.25), kernel
counts = {round(limit, 9): count for limit, count in zip(kernel.bucket_limit, kernel.bucket) if count}
assert list(counts.values()) == [1, 1, 1, 1] and list(counts)[-1] == 2, counts
print(f"tensorboard: {len(expected) + 1} curves and {len(tags) + 1} histograms read, equal.")
