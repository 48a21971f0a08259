"""Reads a run from an MLflow server with the mlflow package and checks every value."""

import math
import sys

from mlflow import MlflowClient

client = MlflowClient(sys.argv[1])
experiment = client.get_experiment_by_name("check formats")
runs = client.search_runs([experiment.experiment_id])
# The training that went on went on with the same run.
assert len(runs) == 1, runs
run = runs[0]
assert run.info.run_name == "sum, seed 0" and run.info.status == "FINISHED", run.info
assert run.data.params == {"strategy": "sum", "lr": "0.01"}, run.data.params
assert run.data.tags["purpose"] == "a check", run.data.tags
group = "encoder/near_far"
steps = range(16)
expected = {
    "loss/near": [1 / (step + 1) for step in steps],
    "loss/far": [math.nan if step == 5 else 2 for step in steps],
    f"norm/{group}/near": [1] * 16,
    f"norm/{group}/far": [step + 1 for step in steps],
    f"cosine/{group}/near far": [-1 + step / 8 for step in steps],
    f"weight/{group}/near": [0.25] * 16,
    f"weight/{group}/far": [0.75] * 16,
    f"conflict/{group}": [float(step < 8) for step in steps],
}
assert set(run.data.metrics) == {*expected, "epoch/loss"}, run.data.metrics
for key, values in expected.items():
    history = sorted(client.get_metric_history(run.info.run_id, key), key=lambda one: one.step)
    # Steps 8 to 13 were made twice and are there once.
    assert [one.step for one in history] == list(steps), (key, history)
    for one, value in zip(history, values):
        equal = math.isnan(one.value) if math.isnan(value) else one.value == value
        assert equal, (key, one)
epochs = sorted(client.get_metric_history(run.info.run_id, "epoch/loss"), key=lambda one: one.step)
assert [(one.step, one.value) for one in epochs] == [(3, 3), (7, 7), (11, 11), (15, 15)], epochs
print(f"mlflow: {len(expected) + 1} metrics, 2 parameters and a tag of one run read, equal.")
