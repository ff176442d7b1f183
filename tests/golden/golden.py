# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""A golden file is text: each tensor is a line "name size size ..." and a line of its elements in row-major order."""
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


def channels_last(tensor):
    """(N, C, H, W) as (N, H, W, C), (O, I, R, S) as (O, R, S, I), (N, C, L) as (N, L, C); others as they are."""
    return tensor.movedim(1, -1) if tensor.dim() >= 3 else tensor


def add_layer(golden, case, module, x, layout=channels_last):
    """One forward and backward of a module: x, dy, parameters and buffers before, y, dx, the parameters' gradients
    (named "d" + name) and the buffers after (name + "_after"), all in the library's layout."""
    x = x.clone().requires_grad_()
    golden.add(f"{case}.x", layout(x))
    buffers = [(name, tensor) for name, tensor in module.named_buffers() if name != "num_batches_tracked"]
    for name, tensor in [*module.named_parameters(), *buffers]:
        golden.add(f"{case}.{name}", layout(tensor))
    y = module(x)
    dy = torch.randn_like(y)
    y.backward(dy)
    golden.add(f"{case}.y", layout(y))
    golden.add(f"{case}.dy", layout(dy))
    golden.add(f"{case}.dx", layout(x.grad))
    for name, parameter in module.named_parameters():
        golden.add(f"{case}.d{name}", layout(parameter.grad))
    for name, buffer in buffers:
        golden.add(f"{case}.{name}_after", layout(buffer))
