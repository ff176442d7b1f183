# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Optimisers, schedules of learning rates, clipping of gradients."""
import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from golden import Golden


def record(name, seed, steps, missing, optimizers, schedule=None):
    """Steps of three parameters, each step with gradients of its own, for each optimiser. `missing` are the pairs of
    step and parameter that have no gradient. `schedule` makes the scheduler of those optimisers whose name has it."""
    golden = Golden(name)
    torch.manual_seed(seed)
    start = [torch.randn(3, 4), torch.randn(4), torch.randn(2, 3, 2)]
    grads = [[torch.randn_like(p) for p in start] for _ in range(steps)]
    for i, p in enumerate(start):
        golden.add(f"start.{i}", p)
        for step in range(steps):
            golden.add(f"grad.{step}.{i}", grads[step][i])
    for case, make in optimizers.items():
        parameters = [torch.nn.Parameter(p.clone()) for p in start]
        optimizer = make(parameters)
        scheduler = schedule(optimizer) if case.startswith("scheduled") else None
        for step in range(steps):
            for i, p in enumerate(parameters):
                p.grad = None if (step, i) in missing else grads[step][i].clone()
            optimizer.step()
            if scheduler:
                scheduler.step()
            for i, p in enumerate(parameters):
                golden.add(f"{case}.{step}.{i}", p)
    golden.write()


def make(optimizer, **options):
    return lambda parameters: optimizer(parameters, **options)


def groups(optimizer, **options):
    """The first parameter with a rate and a decay of its own, the second without decay, the third as the optimiser."""
    return lambda p: optimizer([{"params": [p[0]], "lr": 0.03, "weight_decay": 0.2},
                                {"params": [p[1]], "weight_decay": 0.0}, {"params": [p[2]]}], **options)


def sgd():
    record("sgd", 1, 4, {(2, 1)}, {
        "plain": make(torch.optim.SGD, lr=0.1),
        "momentum": make(torch.optim.SGD, lr=0.1, momentum=0.9),
        "decay": make(torch.optim.SGD, lr=0.1, weight_decay=0.1),
        "nesterov": make(torch.optim.SGD, lr=0.1, momentum=0.8, weight_decay=0.05, nesterov=True),
    })


# The third parameter has no gradient in the first step, the second has none in the third: their counts of steps differ.
MISSING = {(0, 2), (2, 1)}


def adam_like(name, seed, optimizer):
    record(name, seed, 5, MISSING, {
        "default": make(optimizer),
        "betas": make(optimizer, lr=0.1, betas=(0.6, 0.9), eps=1e-2),
        "decay": make(optimizer, lr=0.1, weight_decay=0.3),
        "groups": groups(optimizer, lr=0.1, weight_decay=0.1),
        "scheduled": groups(optimizer, lr=0.1, weight_decay=0.1),
    }, lambda o: lr_scheduler.StepLR(o, step_size=2, gamma=0.3))


def adam():
    adam_like("adam", 11, torch.optim.Adam)


def adamw():
    adam_like("adamw", 12, torch.optim.AdamW)


def rmsprop():
    record("rmsprop", 13, 5, MISSING, {
        "default": make(torch.optim.RMSprop),
        "alpha": make(torch.optim.RMSprop, lr=0.1, alpha=0.8, eps=1e-2),
        "momentum": make(torch.optim.RMSprop, lr=0.05, momentum=0.9, weight_decay=0.2),
        "centered": make(torch.optim.RMSprop, lr=0.01, alpha=0.7, centered=True),
        "all": make(torch.optim.RMSprop, lr=0.02, alpha=0.7, eps=1e-3, weight_decay=0.1, momentum=0.8, centered=True),
        "groups": groups(torch.optim.RMSprop, lr=0.1, weight_decay=0.1),
    })


def clip_grad_norm():
    """Gradients before and after, and their norm; the second parameter has none."""
    golden = Golden("clip_grad_norm")
    torch.manual_seed(14)
    grads = [torch.randn(3, 4), None, torch.randn(7), torch.randn(2, 3, 2)]
    for i, grad in enumerate(grads):
        if grad is not None:
            golden.add(f"grad.{i}", grad)
    for name, max_norm in {"clipped": 0.75, "below": 100.0, "zero": 0.0}.items():
        parameters = [torch.nn.Parameter(torch.zeros(4) if g is None else torch.zeros_like(g)) for g in grads]
        for p, grad in zip(parameters, grads):
            p.grad = None if grad is None else grad.clone()
        golden.add(f"{name}.norm", torch.nn.utils.clip_grad_norm_(parameters, max_norm))
        for i, p in enumerate(parameters):
            if p.grad is not None:
                golden.add(f"{name}.{i}", p.grad)
    golden.write()


def schedules():
    """The learning rates of whole runs and, where PyTorch goes on, past their end; the optimiser's rate is 0.4."""
    golden = Golden("schedules")
    chain = lr_scheduler.ChainedScheduler
    one_cycle = lambda o, **options: lr_scheduler.OneCycleLR(o, max_lr=0.4, cycle_momentum=False, **options)
    cases = {
        "step": (25, lambda o: lr_scheduler.StepLR(o, step_size=4, gamma=0.5)),
        "cosine": (50, lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=20)),
        "cosine_min": (50, lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=15, eta_min=0.04)),
        "linear": (10, lr_scheduler.LinearLR),
        "linear_down": (20, lambda o: lr_scheduler.LinearLR(o, start_factor=0.9, end_factor=0.0, total_iters=12)),
        "one_cycle": (40, lambda o: one_cycle(o, total_steps=40)),
        "one_cycle_linear": (40, lambda o: one_cycle(o, total_steps=40, pct_start=0.45, div_factor=10.0,
                                                     final_div_factor=50.0, anneal_strategy="linear")),
        "one_cycle_fall": (9, lambda o: one_cycle(o, total_steps=9, pct_start=0.0)),
        "one_cycle_rise": (9, lambda o: one_cycle(o, total_steps=9, pct_start=1.0)),
        "one_cycle_single": (1, lambda o: one_cycle(o, total_steps=1)),
        "warm_up_cosine": (30, lambda o: chain([lr_scheduler.LinearLR(o, start_factor=0.01, total_iters=6),
                                                lr_scheduler.CosineAnnealingLR(o, T_max=20)])),
        "three": (30, lambda o: chain([lr_scheduler.LinearLR(o, start_factor=0.5, total_iters=6),
                                       lr_scheduler.StepLR(o, step_size=5, gamma=0.7),
                                       lr_scheduler.CosineAnnealingLR(o, T_max=40)])),
    }
    for name, (steps, schedule) in cases.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
        scheduler = schedule(optimizer)
        rates = []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(rates) < steps:
                scheduler.step()
        golden.add(name, torch.tensor(rates))
    golden.write()


def averaged_weights():
    """Three parameters under SGD with momentum, and after each step PyTorch's averages of them."""
    golden = Golden("averaged_weights")
    torch.manual_seed(15)
    start = [torch.randn(3, 4), torch.randn(4), torch.randn(2, 3, 2)]
    model = torch.nn.ParameterList([torch.nn.Parameter(p.clone()) for p in start])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    averages = {"swa": AveragedModel(model),
                "ema": AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.8))}
    for i, p in enumerate(start):
        golden.add(f"start.{i}", p)
    for step in range(5):
        for i, p in enumerate(model):
            p.grad = torch.randn_like(p)
            golden.add(f"grad.{step}.{i}", p.grad)
        optimizer.step()
        for name, average in averages.items():
            average.update_parameters(model)
            for i, p in enumerate(average.module):
                golden.add(f"{name}.{step}.{i}", p)
    golden.write()


FILES = {"sgd": sgd, "adam": adam, "adamw": adamw, "rmsprop": rmsprop, "clip_grad_norm": clip_grad_norm,
         "schedules": schedules, "averaged_weights": averaged_weights}
