# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Optimisers."""
import torch

from golden import Golden


def sgd():
    """Four steps of three parameters, each step with gradients of its own, for each set of options."""
    golden = Golden("sgd")
    torch.manual_seed(1)
    start = [torch.randn(3, 4), torch.randn(4), torch.randn(2, 3, 2)]
    grads = [[torch.randn_like(p) for p in start] for _ in range(4)]
    for i, p in enumerate(start):
        golden.add(f"start.{i}", p)
        for step in range(4):
            golden.add(f"grad.{step}.{i}", grads[step][i])
    options = {
        "plain": {},
        "momentum": {"momentum": 0.9},
        "decay": {"weight_decay": 0.1},
        "nesterov": {"momentum": 0.8, "weight_decay": 0.05, "nesterov": True},
    }
    for name, extra in options.items():
        parameters = [torch.nn.Parameter(p.clone()) for p in start]
        optimizer = torch.optim.SGD(parameters, lr=0.1, **extra)
        for step in range(4):
            for i, p in enumerate(parameters):
                # The second parameter has no gradient in the third step.
                p.grad = None if (step, i) == (2, 1) else grads[step][i].clone()
            optimizer.step()
            for i, p in enumerate(parameters):
                golden.add(f"{name}.{step}.{i}", p)
    golden.write()


FILES = {"sgd": sgd}
