# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Whole networks in training."""
import torch

from golden import Golden


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


WIDTHS = [4, 8, 12, 12, 16, 16, 16, 16]
POOL_AFTER = [0, 1, 3, 5, 7]


def numbers(shape, salt):
    """Numbers from -1 to 1 that the test computes as well: they need no file."""
    count = torch.Size(shape).numel()
    return ((torch.arange(count) * 7919 + salt * 104729) % 10007).double().div(10007.0).mul(2.0).sub(1.0).reshape(shape)


def convnet():
    """The ConvNet of examples/cifar10_cnn at small width: ten losses of training with Adam, batches of 5, 5 and 3
    images in turn; the norms of the first step's gradients; the running statistics after the last."""
    golden = Golden("convnet")
    layers = []
    channels = 3
    for i, width in enumerate(WIDTHS):
        layers += [torch.nn.Conv2d(channels, width, 3, padding=1), torch.nn.BatchNorm2d(width), torch.nn.ReLU()]
        if i in POOL_AFTER:
            layers.append(torch.nn.MaxPool2d(3, stride=2, padding=1))
        channels = width
    net = torch.nn.Sequential(*layers, torch.nn.AvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(channels, 10))
    with torch.no_grad():
        for salt, parameter in enumerate(net.parameters()):
            if parameter.dim() == 4:
                # In the library's layout (O, R, S, I).
                o, i, r, s = parameter.shape
                parameter.copy_((numbers((o, r, s, i), salt) * (3.0 / (i * r * s)) ** 0.5).permute(0, 3, 1, 2))
            elif parameter.dim() == 2:
                parameter.copy_(numbers(parameter.shape, salt) * (3.0 / parameter.shape[1]) ** 0.5)
            else:
                parameter.copy_(1.0 + 0.1 * numbers(parameter.shape, salt))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    losses = []
    for step in range(10):
        batch = 3 if step % 3 == 2 else 5
        x = numbers((batch, 32, 32, 3), 1000 + step).permute(0, 3, 1, 2)
        labels = (torch.arange(batch) * 7 + step) % 10
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), labels)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            golden.add("gradient_norms", torch.stack([p.grad.norm() for p in net.parameters()]))
        optimizer.step()
    golden.add("losses", torch.tensor(losses))
    for name, buffer in net.named_buffers():
        if not name.endswith("num_batches_tracked"):
            golden.add(name, buffer)
    net.eval()
    golden.add("eval", net(numbers((2, 32, 32, 3), 2000).permute(0, 3, 1, 2)))
    golden.write()


FILES = {"mlp": mlp, "convnet": convnet}
