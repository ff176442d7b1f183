#!/usr/bin/env python3
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Times the same training steps with eigengrad and with PyTorch, in turn, and prints the ratio.

    python3 -m venv build/torch && build/torch/bin/pip install torch==2.13.0 numpy
    cmake --preset release && cmake --build build/release
    build/torch/bin/python benchmarks/compare_torch.py build/release/benchmarks/train_step

Every round runs eigengrad, then PyTorch in each of its settings (threads that wait actively or passively; for the
cnn both memory formats), each in a process of its own. A line has the medians over the rounds; PyTorch's is that of its best setting. The ratio is
taken round by round, so that a drift of the machine's speed cancels. Run nothing else meanwhile.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

NETWORKS = ["mlp100", "mlp700", "cnn"]
MLP_SIZES = {"mlp100": [3072, 100, 10], "mlp700": [3072, 700, 700, 700, 10]}
CNN_STAGES = [[64], [128], [256, 256], [512, 512], [512, 512]]
WAIT_POLICIES = ["active", "passive"]


def settings(network):
    """The ways in which PyTorch runs a network: how threads wait, and how images lie in memory."""
    formats = ["contiguous", "channels_last"] if network == "cnn" else ["contiguous"]
    return [f"{policy} {memory_format}" for policy in WAIT_POLICIES for memory_format in formats]


def make_torch(network):
    """The network, its inputs and its optimiser."""
    import torch

    layers = []
    if network == "cnn":
        channels = 3
        for stage in CNN_STAGES:
            for outputs in stage:
                layers += [torch.nn.Conv2d(channels, outputs, 3, padding=1), torch.nn.BatchNorm2d(outputs),
                           torch.nn.ReLU(inplace=True)]
                channels = outputs
            layers.append(torch.nn.MaxPool2d(3, stride=2, padding=1))
        net = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(channels, 10))
        return net, torch.randn(32, 3, 32, 32), torch.optim.Adam(net.parameters(), lr=1e-4)
    sizes = MLP_SIZES[network]
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        layers.append(torch.nn.Linear(inputs, outputs))
        if i + 2 < len(sizes):
            layers.append(torch.nn.ReLU(inplace=True))
    net = torch.nn.Sequential(*layers)
    inputs = torch.randn(200, sizes[0])
    if network == "mlp100":
        return net, inputs, torch.optim.SGD(net.parameters(), lr=1e-3)
    return net, inputs, torch.optim.Adam(net.parameters(), lr=1e-4)


def time_torch(network, threads, seconds, memory_format):
    """Milliseconds of one step, the median over about the given time. Runs in the child process."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    net, inputs, optimizer = make_torch(network)
    if memory_format == "channels_last":
        net = net.to(memory_format=torch.channels_last)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    loss_of = torch.nn.CrossEntropyLoss()
    labels = torch.randint(0, 10, (len(inputs),))

    def step():
        optimizer.zero_grad()
        loss_of(net(inputs), labels).backward()
        optimizer.step()

    start = time.perf_counter()
    while time.perf_counter() - start < seconds / 10:
        step()
    times = []
    start = time.perf_counter()
    while len(times) < 5 or time.perf_counter() - start < seconds:
        step_start = time.perf_counter()
        step()
        times.append(time.perf_counter() - step_start)
    return 1e3 * statistics.median(times)


def run_torch(network, threads, seconds, setting):
    wait_policy, memory_format = setting.split()
    environment = dict(os.environ, OMP_WAIT_POLICY=wait_policy.upper(), OMP_NUM_THREADS=str(threads),
                       MKL_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
    command = [sys.executable, __file__, "--torch-child", network, str(threads), str(seconds), memory_format]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def run_eigengrad(binary, network, threads, seconds):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "result.json")
        command = [binary, "--network", network, "--threads", str(threads), "--seconds", str(seconds), "--json", file]
        subprocess.run(command, check=True, capture_output=True)
        with open(file, encoding="utf-8") as results:
            return json.load(results)[0]


def main():
    if len(sys.argv) == 6 and sys.argv[1] == "--torch-child":
        print(time_torch(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the program train_step")
    parser.add_argument("--network", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement")
    options = parser.parse_args()

    import torch

    print(f"PyTorch {torch.__version__}, {options.rounds} rounds; medians")
    print("network  threads  eigengrad ms    PyTorch ms  (best of)               PyTorch/eigengrad [min, max]  of FMA peak")
    for network in options.network:
        for threads in options.threads:
            ours, peaks = [], []
            theirs = {setting: [] for setting in settings(network)}
            for _ in range(options.rounds):
                result = run_eigengrad(options.binary, network, threads, options.seconds)
                ours.append(result["ms_per_step"])
                peaks.append(result["gflops"] / result["peak_gflops"])
                for setting, times in theirs.items():
                    times.append(run_torch(network, threads, options.seconds, setting))
            best = min(theirs, key=lambda setting: statistics.median(theirs[setting]))
            ratios = [torch_ms / our_ms for torch_ms, our_ms in zip(theirs[best], ours)]
            print(f"{network:8} {threads:7} {statistics.median(ours):13.3f} {statistics.median(theirs[best]):13.3f}"
                  f"  ({best:20})  {statistics.median(ratios):10.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
                  f" {100 * statistics.median(peaks):18.0f} %", flush=True)


if __name__ == "__main__":
    main()
