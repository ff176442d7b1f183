# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""PyTorch's side of compare_torch.py, in processes of its own: a job as JSON on the command line, the answer as JSON on
standard output.

The optimisers are the fused ones, which do in one pass over the memory what PyTorch's default ones do in a dozen: with
Adam that saves a quarter of a step of mlp700, a tenth of one of the cnn.
"""
import json
import resource
import statistics
import sys
import time

import torch

MLP_SIZES = {"mlp100": [3072, 100, 10], "mlp700": [3072, 700, 700, 700, 10]}
CNN_STAGES = [[64], [128], [256, 256], [512, 512], [512, 512]]
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def memory(name):
    """Bytes by /proc/self/status: VmRSS is resident now, VmHWM the most that was. Linux alone has the file; elsewhere
    both are ru_maxrss, which on Linux would begin with that of the process which started this one."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith(name + ":"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def convnet():
    """The small VGG of examples/common/networks.cpp, for images of 32 x 32: five poolings leave one pixel."""
    layers = []
    channels = 3
    for stage in CNN_STAGES:
        for outputs in stage:
            layers += [torch.nn.Conv2d(channels, outputs, 3, padding=1), torch.nn.BatchNorm2d(outputs),
                       torch.nn.ReLU(inplace=True)]
            channels = outputs
        layers.append(torch.nn.MaxPool2d(3, stride=2, padding=1))
    return torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(channels, 10))


def make(network, batch_size):
    """The network, its inputs and its optimiser, the same as in networks.hpp."""
    if network == "cnn":
        net = convnet()
        inputs = torch.randn(batch_size, 3, 32, 32)
    else:
        sizes = MLP_SIZES[network]
        layers = []
        for i, (width, outputs) in enumerate(zip(sizes, sizes[1:])):
            layers.append(torch.nn.Linear(width, outputs))
            if i + 2 < len(sizes):
                layers.append(torch.nn.ReLU(inplace=True))
        net = torch.nn.Sequential(*layers)
        inputs = torch.randn(batch_size, sizes[0])
    if network == "mlp100":
        return net, inputs, torch.optim.SGD(net.parameters(), lr=1e-3, fused=True)
    return net, inputs, torch.optim.Adam(net.parameters(), lr=1e-4, fused=True)


def time_steps(network, mode, batch_size, memory_format, seconds):
    """Milliseconds of one step, the median over about the given time after a tenth of it as warm-up; memory in bytes
    before the network was made and at its peak."""
    memory_before = memory("VmRSS")
    net, inputs, optimizer = make(network, batch_size)
    if network == "cnn":
        net = net.to(memory_format=FORMATS[memory_format])
        inputs = inputs.contiguous(memory_format=FORMATS[memory_format])
    loss_of = torch.nn.CrossEntropyLoss()
    labels = torch.randint(0, 10, (batch_size,))

    def train():
        optimizer.zero_grad()
        loss_of(net(inputs), labels).backward()
        optimizer.step()

    def infer():
        net(inputs)

    step = train if mode == "train" else infer
    net.train(mode == "train")
    times = []
    with torch.inference_mode(mode == "inference"):
        start = time.perf_counter()
        step()
        while time.perf_counter() - start < seconds / 10:
            step()
        start = time.perf_counter()
        while len(times) < 5 or time.perf_counter() - start < seconds:
            step_start = time.perf_counter()
            step()
            times.append(time.perf_counter() - step_start)
    return {"ms": 1e3 * statistics.median(times), "memory_before": memory_before, "peak_memory": memory("VmHWM")}


def median_of_means(call, seconds):
    """Milliseconds of a call as Google Benchmark measures it: as many calls as take a fifth of the time, five times."""

    def seconds_of(calls):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return time.perf_counter() - start

    calls = 1
    while (elapsed := seconds_of(calls)) < seconds / 5:
        calls = max(calls + 1, min(10 * calls, int(1.4 * calls * seconds / 5 / elapsed)))
    return 1e3 * statistics.median(seconds_of(calls) / calls for _ in range(5))


def convolution(case, memory_format):
    """One direction of a convolution as a function without arguments."""
    def tensor(*shape):
        return torch.randn(shape).contiguous(memory_format=memory_format)

    x = tensor(case["batch"], case["in"], case["image"], case["image"])
    weight = tensor(case["out"], case["in"] // case["groups"], case["kernel"], case["kernel"])
    bias = torch.randn(case["out"])
    stride, padding, dilation = ([case[name]] * 2 for name in ("stride", "padding", "dilation"))
    if case["direction"] == "forward":
        return lambda: torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, case["groups"])
    y = torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, case["groups"])
    dy = torch.randn(y.shape).contiguous(memory_format=memory_format)
    mask = [case["direction"] == "backward_input", case["direction"] == "backward_weight", False]
    return lambda: torch.ops.aten.convolution_backward(dy, x, weight, [case["out"]], stride, padding, dilation, False,
                                                       [0, 0], case["groups"], mask)


def time_convolutions(cases, seconds):
    """Milliseconds of each case in each format, by the name of the case."""
    with torch.no_grad():
        return {case["name"]: {name: median_of_means(convolution(case, memory_format), seconds)
                               for name, memory_format in FORMATS.items()} for case in cases}


def main():
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job.pop("threads"))
    torch.manual_seed(1)
    print(json.dumps(time_convolutions(**job) if "cases" in job else time_steps(**job)))


if __name__ == "__main__":
    main()
