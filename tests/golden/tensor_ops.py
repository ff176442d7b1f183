# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Operations on tensors with broadcasting and over axes: values, and gradients from a random gradient of the result."""
import torch

from golden import Golden


def record(golden, case, function, *inputs):
    """The inputs as x0, x1, ..., y, dy and the gradients dx0, dx1, ..."""
    inputs = [x.clone().requires_grad_() for x in inputs]
    y = function(*inputs)
    dy = torch.randn_like(y)
    y.backward(dy)
    for i, x in enumerate(inputs):
        golden.add(f"{case}.x{i}", x)
        golden.add(f"{case}.dx{i}", x.grad)
    golden.add(f"{case}.y", y)
    golden.add(f"{case}.dy", dy)


def positive(shape):
    return torch.rand(shape) + 0.3


BROADCASTS = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 1, 3), (4, 1)), ((0, 3), (1, 3)),
              ((1,), (2, 2))]

BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "maximum": torch.maximum,
    "minimum": torch.minimum, "pow": torch.pow,
}

UNARY = {
    "neg": torch.neg, "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "abs": torch.abs,
    "square": torch.square, "clamp": lambda x: torch.clamp(x, 0.5, 0.9),
    "maximum_number": lambda x: torch.clamp(x, min=0.7),
    "pow_-1": lambda x: x ** -1, "pow_0": lambda x: x ** 0, "pow_0.5": lambda x: x ** 0.5, "pow_2": lambda x: x ** 2,
    "pow_3": lambda x: x ** 3, "pow_2.5": lambda x: x ** 2.5, "2_pow": lambda x: 2 ** x,
    "2_sub": lambda x: 2 - x, "2_div": lambda x: 2 / x,
}


def tensor_elementwise():
    golden = Golden("tensor_elementwise")
    torch.manual_seed(21)
    for name, function in BINARY.items():
        for i, (a, b) in enumerate(BROADCASTS):
            record(golden, f"{name}.{i}", function, positive(a), positive(b))
    for name, function in UNARY.items():
        record(golden, name, function, positive((2, 5)))
    condition = torch.rand(2, 1, 3) > 0.5
    golden.add("where.condition", condition.double())
    record(golden, "where", lambda a, b: torch.where(condition, a, b), positive((4, 1)), positive((3,)))
    # Equal operands, and bases of 0 and below.
    ties = torch.tensor([1.0, 2.0, 3.0, 2.0]), torch.tensor([2.0, 2.0, 2.0, 2.5])
    record(golden, "maximum.ties", torch.maximum, *ties)
    record(golden, "minimum.ties", torch.minimum, *ties)
    record(golden, "pow.zeros", torch.pow, torch.tensor([0.0, 0.0, 0.0, -2.0]), torch.tensor([0.0, 1.0, 2.5, 1.0]))
    record(golden, "abs.kink", torch.abs, torch.tensor([0.0, -1.0, 2.0]))
    record(golden, "clamp.edges", lambda x: torch.clamp(x, 0.5, 0.9), torch.tensor([0.5, 0.9, 0.4, 1.0]))
    golden.write()


AXES = {"all": None, "0": (0,), "1": (1,), "-1": (-1,), "0_2": (0, 2)}

REDUCTIONS = {
    "sum": lambda x, dim, keep: torch.sum(x, dim, keepdim=keep),
    "mean": lambda x, dim, keep: torch.mean(x, dim, keepdim=keep),
    "var": lambda x, dim, keep: torch.var(x, dim, keepdim=keep),
    "var_0": lambda x, dim, keep: torch.var(x, dim, correction=0, keepdim=keep),
    "max": lambda x, dim, keep: torch.amax(x, dim or (), keepdim=keep),
    "min": lambda x, dim, keep: torch.amin(x, dim or (), keepdim=keep),
    "logsumexp": lambda x, dim, keep: torch.logsumexp(x, dim or (0, 1, 2), keepdim=keep),
    "norm": lambda x, dim, keep: torch.linalg.vector_norm(x, dim=dim, keepdim=keep),
}


def tensor_reduce():
    golden = Golden("tensor_reduce")
    torch.manual_seed(22)
    x = torch.randn(2, 3, 3)
    x[0, 1, 1] = x[0, 1, 2] = x[1, 0, 0] = 3.0  # ties of the maximum
    for name, function in REDUCTIONS.items():
        for axes, dim in AXES.items():
            record(golden, f"{name}.{axes}", lambda v: function(v, dim, axes == "1"), x)
        if name.startswith("var"):
            continue
        record(golden, f"{name}.none", lambda v: function(v, (1,), False), torch.zeros(0, 2, 3))
        record(golden, f"{name}.one", lambda v: function(v, (1,), False), torch.randn(2, 1))
    for name in ("sum", "norm"):  # of the others that of no elements is NaN, infinite or refused
        record(golden, f"{name}.of_none", lambda v: REDUCTIONS[name](v, (1,), False), torch.zeros(2, 0, 3))
    record(golden, "norm.zeros", lambda v: torch.linalg.vector_norm(v, dim=1), torch.tensor([[0.0, 0.0], [3.0, -4.0]]))
    record(golden, "log_softmax", lambda v: torch.log_softmax(v, -1), torch.randn(2, 3, 5) * 4.0)
    golden.add("argmax.x", x)
    for axis in range(3):
        golden.add(f"argmax.{axis}", torch.argmax(x, axis).double())
    golden.write()


FILES = {"tensor_elementwise": tensor_elementwise, "tensor_reduce": tensor_reduce}
