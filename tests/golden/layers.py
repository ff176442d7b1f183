# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Layers without convolution, and losses."""
import torch

from golden import Golden, add_layer


def same(tensor):
    """These layers act on the last axis or on each element: PyTorch's layout is the library's."""
    return tensor


def activations():
    """Activations from -6 to 6, and leaky ReLUs of three slopes."""
    golden = Golden("activations")
    torch.manual_seed(11)
    modules = {
        "leaky_relu": torch.nn.LeakyReLU(),
        "leaky_relu_steep": torch.nn.LeakyReLU(0.3),
        "leaky_relu_negative": torch.nn.LeakyReLU(-0.5),
        "gelu": torch.nn.GELU(),
        "gelu_tanh": torch.nn.GELU(approximate="tanh"),
        "silu": torch.nn.SiLU(),
        "sigmoid": torch.nn.Sigmoid(),
        "tanh": torch.nn.Tanh(),
        "relu": torch.nn.ReLU(),
        "softmax": torch.nn.Softmax(-1),
    }
    for name, module in modules.items():
        add_layer(golden, name, module, torch.linspace(-6, 6, 77).reshape(7, 11), same)
    golden.write()


def layer_norm():
    """Layer normalisation of rank 2 and 3, of one row and of odd sizes, with each set of parameters."""
    golden = Golden("layer_norm")
    torch.manual_seed(12)
    cases = {
        "rank2": ((5, 8), {}),
        "rank3": ((3, 5, 7), {}),
        "one_row": ((1, 13), {}),
        "no_bias": ((4, 9), {"bias": False}),
        "no_affine": ((4, 9), {"elementwise_affine": False}),
        "eps": ((4, 3), {"eps": 0.1}),
    }
    for name, (shape, options) in cases.items():
        module = torch.nn.LayerNorm(shape[-1], **options)
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter)
        add_layer(golden, name, module, 2 * torch.randn(shape) + 3, same)
    golden.write()


def residual():
    """A block with a projection inside a network, and one without."""
    golden = Golden("residual")
    torch.manual_seed(13)

    class Residual(torch.nn.Module):
        def __init__(self, body, shortcut=None):
            super().__init__()
            self.body = body
            self.shortcut = shortcut or torch.nn.Sequential()

        def forward(self, x):
            return self.body(x) + self.shortcut(x)

    sequential, linear = torch.nn.Sequential, torch.nn.Linear
    identity = Residual(sequential(linear(6, 4), torch.nn.ReLU(), linear(4, 6)))
    projection = Residual(sequential(linear(6, 5), torch.nn.Tanh()), sequential(linear(6, 5, bias=False)))
    add_layer(golden, "nested", sequential(identity, torch.nn.LayerNorm(6), projection), torch.randn(3, 6), same)
    golden.write()


def losses():
    """Mean squared error, and cross-entropy with all its options: loss and gradient."""
    golden = Golden("losses")
    torch.manual_seed(14)

    def add(case, loss, x, target):
        x = x.requires_grad_()
        value = loss(x, target)
        value.backward()
        for name, tensor in {"x": x, "target": target, "loss": value, "dx": x.grad}.items():
            golden.add(f"{case}.{name}", tensor)

    add("mse", torch.nn.MSELoss(), torch.randn(5, 3), torch.randn(5, 3))
    add("mse_one", torch.nn.MSELoss(), torch.randn(1), torch.randn(1))
    for smoothing in (0.0, 0.1, 1.0):
        add(f"smoothing_{smoothing}", torch.nn.CrossEntropyLoss(label_smoothing=smoothing), 3 * torch.randn(6, 5),
            torch.randint(0, 5, (6,)))
    weight = torch.tensor([0.5, 2.0, 1.0, 0.0, 3.0])
    for case, options in {"weight": {"weight": weight}, "ignore": {"ignore_index": -100},
                          "all": {"weight": weight, "ignore_index": -100, "label_smoothing": 0.3}}.items():
        target = torch.randint(0, 5, (6,))
        if "ignore_index" in options:
            target[2] = target[5] = -100
        add(case, torch.nn.CrossEntropyLoss(**options), 3 * torch.randn(6, 5), target)
    for smoothing in (0.0, 0.1, 1.0):
        add(f"probabilities_{smoothing}", torch.nn.CrossEntropyLoss(label_smoothing=smoothing), 3 * torch.randn(6, 5),
            torch.softmax(2 * torch.randn(6, 5), dim=1))
    add("shares", torch.nn.CrossEntropyLoss(), 3 * torch.randn(6, 5), torch.rand(6, 5))  # not of the sum 1
    add("weighted_shares", torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=0.3), 3 * torch.randn(6, 5),
        torch.softmax(2 * torch.randn(6, 5), dim=1))
    golden.write()


FILES = {"activations": activations, "layer_norm": layer_norm, "losses": losses, "residual": residual}
