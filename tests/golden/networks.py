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


FILES = {"mlp": mlp}
