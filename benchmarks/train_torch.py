#!/usr/bin/env python3
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Trains the networks of docs/results.md with PyTorch: the same network, data, initial values, optimiser, schedule and
number of steps as the examples, for several seeds. Prints the final and the best test accuracy of each run, and their
means and standard deviations, to compare with the examples' own.

    python3 benchmarks/train_torch.py --recipe mlp100 --seeds 5 --data-dir data/cifar-10-batches-bin
"""
import argparse
import dataclasses
import os
import pathlib
import statistics
import time

import numpy as np
import torch
from torch import nn

from torch_child import convnet


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a row of docs/results.md gives the trainers by flags; the defaults are those of cifar10_mlp."""
    hidden: tuple = (100,)
    convnet: bool = False
    normalization: str = "mean-image"
    init: str = "normal"
    batch_norm: bool = False
    dropout: float = 0.0
    augment: bool = False
    optimizer: str = "sgd"
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    schedule: str = "constant"
    label_smoothing: float = 0.0
    max_steps: int = 1500
    batch_size: int = 200
    eval_freq: int = 100


RECIPES = {
    "mlp100": Recipe(),
    "mlp700": Recipe(hidden=(700, 700, 700), normalization="channels", init="pytorch", dropout=0.3, optimizer="adam",
                     learning_rate=1e-3, max_steps=10000, eval_freq=500),
    "mlp1000": Recipe(hidden=(1000, 1000, 1000), normalization="channels", init="pytorch", batch_norm=True, dropout=0.2,
                      augment=True, optimizer="adamw", learning_rate=2e-3, weight_decay=0.05, schedule="one-cycle",
                      label_smoothing=0.1, max_steps=20000, eval_freq=1000),
    "cnn": Recipe(convnet=True, normalization="channels", init="pytorch", optimizer="adam", learning_rate=1e-4,
                  schedule="cosine", max_steps=5000, batch_size=32, eval_freq=500),
}
RECIPES["cnn-constant"] = dataclasses.replace(RECIPES["cnn"], schedule="constant")


def load(directory):
    """Images (N, 3, 32, 32) from 0 to 255 and labels (N), for training and for the test."""
    def read(names):
        records = np.concatenate([np.fromfile(directory / name, np.uint8).reshape(-1, 3073) for name in names])
        return (torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32)),
                torch.from_numpy(records[:, 0].astype(np.int64)))

    return read([f"data_batch_{i}.bin" for i in range(1, 6)]), read(["test_batch.bin"])


def normalized(train, test, kind):
    if kind == "mean-image":
        mean, deviation = train.mean(0, keepdim=True), 1.0
    else:
        mean, deviation = train.mean((0, 2, 3), keepdim=True), train.std((0, 2, 3), keepdim=True, correction=0)
    return (train - mean) / deviation, (test - mean) / deviation


def make_network(recipe):
    if recipe.convnet:
        return convnet()
    layers = [nn.Flatten()]
    inputs = 3072
    for units in recipe.hidden:
        layers.append(nn.Linear(inputs, units, bias=not recipe.batch_norm))
        if recipe.batch_norm:
            layers.append(nn.BatchNorm1d(units))
        layers.append(nn.ReLU())
        if recipe.dropout > 0.0:
            layers.append(nn.Dropout(recipe.dropout))
        inputs = units
    net = nn.Sequential(*layers, nn.Linear(inputs, 10))
    if recipe.init == "normal":
        for layer in net:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=1e-4)
                nn.init.zeros_(layer.bias)
    return net


def make_optimizer(net, recipe):
    parameters = list(net.parameters())
    groups = [{"params": [p for p in parameters if p.dim() > 1], "weight_decay": recipe.weight_decay},
              {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0}]
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
    return kind(groups, lr=recipe.learning_rate, fused=True)


def make_schedule(optimizer, recipe):
    if recipe.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.max_steps)
    if recipe.schedule == "one-cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, recipe.max_steps,
                                                   cycle_momentum=False)
    return None


def augmented(images, generator):
    """Each image moved by up to 4 pixels, 0 where nothing comes from, and mirrored one time in two."""
    padded = nn.functional.pad(images, (4, 4, 4, 4))
    count = len(images)
    down, right = torch.randint(0, 9, (2, count, 1), generator=generator)
    columns = torch.arange(32).expand(count, 32)
    columns = torch.where(torch.rand(count, 1, generator=generator) < 0.5, 31 - columns, columns) + right
    rows = torch.arange(32) + down
    samples = torch.arange(count)[:, None, None]
    return padded.permute(0, 2, 3, 1)[samples, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def batches(samples, size, generator):
    """Shuffled batches without end; the last one of an epoch has what is left."""
    while True:
        yield from torch.randperm(samples, generator=generator).split(size)


def accuracy(net, images, labels):
    net.eval()
    with torch.inference_mode():
        hits = sum((net(x).argmax(1) == t).sum().item() for x, t in zip(images.split(500), labels.split(500)))
    net.train()
    return hits / len(labels)


def train(recipe, data, seed):
    """The test accuracies of all evaluations, and the seconds of the steps alone."""
    (images, labels), (test_images, test_labels) = data
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net = make_network(recipe)
    if recipe.convnet:
        net = net.to(memory_format=torch.channels_last)
    loss_of = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    optimizer = make_optimizer(net, recipe)
    schedule = make_schedule(optimizer, recipe)
    order = batches(len(labels), recipe.batch_size, generator)
    accuracies = []
    seconds = 0.0
    for step in range(1, recipe.max_steps + 1):
        start = time.perf_counter()
        batch = next(order)
        x = images[batch]
        if recipe.augment:
            x = augmented(x, generator)
        if recipe.convnet:
            x = x.contiguous(memory_format=torch.channels_last)
        optimizer.zero_grad()
        loss_of(net(x), labels[batch]).backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        seconds += time.perf_counter() - start
        if step % recipe.eval_freq == 0:
            accuracies.append(accuracy(net, test_images, test_labels))
    return accuracies, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=RECIPES, required=True)
    parser.add_argument("--seeds", type=int, default=5, help="runs, with the seeds 1, 2, ...")
    parser.add_argument("--data-dir", type=pathlib.Path,
                        default=os.environ.get("CIFAR10_DIR", "data/cifar-10-batches-bin"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = RECIPES[arguments.recipe]
    (images, labels), (test_images, test_labels) = load(pathlib.Path(arguments.data_dir))
    images, test_images = normalized(images, test_images, recipe.normalization)
    finals, bests = [], []
    for seed in range(1, arguments.seeds + 1):
        accuracies, seconds = train(recipe, ((images, labels), (test_images, test_labels)), seed)
        finals.append(accuracies[-1])
        bests.append(max(accuracies))
        print(f"{arguments.recipe} seed {seed}: final {finals[-1]:.4f}, best {bests[-1]:.4f}, {seconds:.0f} s",
              flush=True)
    for name, values in (("final", finals), ("best", bests)):
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        print(f"{name}: mean {statistics.mean(values):.4f}, standard deviation {deviation:.4f}")


if __name__ == "__main__":
    main()
