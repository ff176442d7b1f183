#!/usr/bin/env python3
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Writes the golden files beside it: what PyTorch computes, in float64, for the tests to compare with.

    python3 -m venv build/torch && build/torch/bin/pip install torch==2.13.0 numpy
    build/torch/bin/python tests/golden/generate.py

A file is text. Each tensor is a line "name size size ..." and a line of its elements in row-major order.
"""
import os

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
FOLDER = os.path.dirname(os.path.abspath(__file__))


class Golden:
    def __init__(self, name):
        self.name = name
        self.lines = []

    def add(self, name, tensor):
        tensor = tensor.detach()
        self.lines.append(" ".join([name] + [str(size) for size in tensor.shape]))
        self.lines.append(" ".join(repr(x) for x in tensor.flatten().tolist()))

    def write(self):
        with open(os.path.join(FOLDER, self.name + ".txt"), "w", encoding="ascii") as file:
            file.write("\n".join(self.lines) + "\n")


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


def mlp():
    """An MLP with softmax cross-entropy: output, loss, all gradients, then five losses of training with SGD."""
    golden = Golden("mlp")
    torch.manual_seed(2)
    net = torch.nn.Sequential(torch.nn.Linear(12, 9), torch.nn.ReLU(), torch.nn.Linear(9, 5), torch.nn.ReLU(),
                              torch.nn.Linear(5, 4))
    x = torch.randn(7, 12, requires_grad=True)
    labels = torch.randint(0, 4, (7,))
    golden.add("x", x)
    golden.add("labels", labels)
    for name, p in net.named_parameters():
        golden.add(name, p)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
    losses = []
    for step in range(5):
        optimizer.zero_grad()
        y = net(x)
        loss = torch.nn.functional.cross_entropy(y, labels)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            golden.add("y", y)
            golden.add("probabilities", torch.softmax(y, 1))
            golden.add("dx", x.grad)
            for name, p in net.named_parameters():
                golden.add("d" + name, p.grad)
        optimizer.step()
    golden.add("losses", torch.tensor(losses))
    golden.write()


if __name__ == "__main__":
    sgd()
    mlp()
