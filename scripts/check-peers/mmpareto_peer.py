"""What the official MMPareto loop makes of small networks' gradients: `mmpareto_peer.py CLONE CASES`.

Each case has a network of one weight matrix and one bias for each modality and heads, and a batch; the loop's own
`train_epoch` runs one step on it. What is found are the gradients of each loss by parameter tensor, and what the loop hands
to the optimizer.
"""

import contextlib
import json
import sys
import types
from unittest import mock

import torch

clone, cases_file = sys.argv[1:3]
sys.path.insert(0, f"{clone}/code")
# Data sets and networks that the loop's file imports and a step does not use.
for name in ("utils", "utils.utils", "dataset", "dataset.av_dataset", "models", "models.models", "sklearn", "tqdm"):
    sys.modules[name] = mock.MagicMock(__path__=[])
sys.modules["tqdm"].tqdm = lambda iterable: iterable

torch.set_default_dtype(torch.float64)

import MMPareto  # noqa: E402


class Network(torch.nn.Module):
    def __init__(self, case):
        super().__init__()
        tensor = lambda values: torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))
        self.audio_kernel, self.audio_bias = tensor(case["audio"]["kernel"]), tensor(case["audio"]["bias"])
        self.visual_kernel, self.visual_bias = tensor(case["visual"]["kernel"]), tensor(case["visual"]["bias"])
        self.head, self.head_audio, self.head_visual = (
            tensor(case[name]) for name in ("head", "head_audio", "head_visual")
        )

    def forward(self, spec, images):
        # The loop makes float32 of the data.
        audio = torch.tanh(spec.double() @ self.audio_kernel + self.audio_bias)
        visual = torch.tanh(images.double() @ self.visual_kernel + self.visual_bias)
        both = torch.cat([audio, visual], 1)
        return both @ self.head, audio @ self.head_audio, visual @ self.head_visual


class Recorder:
    """In the optimizer's place: keeps the gradients that it is handed."""

    def __init__(self, model):
        self.model = model

    def zero_grad(self):
        for parameter in self.model.parameters():
            parameter.grad = None

    def step(self):
        self.handed = {name: p.grad.flatten().tolist() for name, p in self.model.named_parameters()}


def computed(case):
    model = Network(case)
    batch = [torch.tensor(case["batch"][name]) for name in ("audio", "visual", "label")]
    criterion = torch.nn.CrossEntropyLoss()
    gradients = {}
    for name, output in zip(("both", "audio", "visual"), model(batch[0].float(), batch[1].float())):
        model.zero_grad()
        criterion(output, batch[2]).backward(retain_graph=True)
        gradients[name] = {
            tensor: parameter.grad.flatten().tolist()
            for tensor, parameter in model.named_parameters()
            if parameter.grad is not None
        }
        model.zero_grad(set_to_none=True)
    optimizer = Recorder(model)
    loop = types.SimpleNamespace()
    MMPareto.train_epoch(loop, 0, model, torch.device("cpu"), [batch], optimizer, None)
    return {"gradients": gradients, "handed": optimizer.handed}


with open(cases_file) as file:
    cases = json.load(file)["cases"]
# The loop prints.
with contextlib.redirect_stdout(sys.stderr):
    for case in cases:
        case["found"] = computed(case)
print(json.dumps({"cases": cases}))
