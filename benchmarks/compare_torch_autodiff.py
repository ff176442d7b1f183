#!/usr/bin/env python3
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Times automatic differentiation with eigengrad and with PyTorch in eager mode, in turn, and prints the ratios.

    build/torch/bin/python benchmarks/compare_torch_autodiff.py build/release/benchmarks/autodiff_step --rounds 5

One training step of an MLP 3072-100-10 (batch 200, SGD), and 10,000 operations on single numbers recorded and run
backward. Medians over the rounds; a ratio is taken in each round.
"""
import argparse
import statistics
import subprocess
import time


def seconds_of(repetitions, call):
    start = time.perf_counter()
    for _ in range(repetitions):
        call()
    return (time.perf_counter() - start) / repetitions


def run_eigengrad(binary, threads):
    output = subprocess.run([binary, "--threads", str(threads)], check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in output.splitlines())}


def run_torch(torch, threads):
    torch.set_num_threads(threads)
    net = torch.nn.Sequential(torch.nn.Linear(3072, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10))
    sgd = torch.optim.SGD(net.parameters(), lr=1e-3)
    loss_of = torch.nn.CrossEntropyLoss()
    images, labels = torch.randn(200, 3072), torch.randint(0, 10, (200,))

    def step():
        sgd.zero_grad()
        loss_of(net(images), labels).backward()
        sgd.step()

    def chain():
        y = torch.tensor(0.5, requires_grad=True)
        a, b = torch.tensor(0.999, requires_grad=True), torch.tensor(0.001, requires_grad=True)
        for _ in range(5000):
            y = y * a + b
        y.backward()

    seconds_of(20, step)
    chain()
    return {"variable_step_ms": 1e3 * statistics.median(seconds_of(20, step) for _ in range(15)),
            "scalar_operation_us": 1e6 * statistics.median(seconds_of(1, chain) for _ in range(7)) / 10000}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the program autodiff_step")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    import torch

    for threads in options.threads:
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(run_eigengrad(options.binary, threads))
            theirs.append(run_torch(torch, threads))
        ratio = statistics.median(result["ratio"] for result in ours)
        peak = statistics.median(result["variable_of_peak"] for result in ours)
        print(f"{threads} threads: step with Variables / step with layers {ratio:.2f}; {100 * peak:.0f} % of FMA peak")
        for name in theirs[0]:
            ratios = [other[name] / own[name] for own, other in zip(ours, theirs)]
            print(f"  {name}: eigengrad {statistics.median(r[name] for r in ours):.3f}, PyTorch {torch.__version__} "
                  f"{statistics.median(r[name] for r in theirs):.3f}, ratio {statistics.median(ratios):.2f} "
                  f"[{min(ratios):.2f}, {max(ratios):.2f}]")


if __name__ == "__main__":
    main()
