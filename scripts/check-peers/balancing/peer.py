"""A balancing method in float64, worked out from its equations: `peer.py CASES` reads the cases of `<method>.json` and prints
them with what the method finds. What is random is given by the case."""

import importlib
import json
import pathlib
import sys

file = pathlib.Path(sys.argv[1])
method = importlib.import_module(file.stem.replace("-", "_"))


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float(f"{value:.10g}") if isinstance(value, float) else value


cases = json.loads(file.read_text())["cases"]
print(json.dumps({"cases": [{**case, "found": rounded(method.found(case))} for case in cases]}))
