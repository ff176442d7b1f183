#!/usr/bin/env python3
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Times single predictions of a small network, 6-64-64-2 with ReLU, with eigengrad, PyTorch and ONNX Runtime in turn.

    build/torch/bin/python benchmarks/compare_latency.py build/release/benchmarks/one_sample --rounds 5

Needs torch, onnx and onnxruntime. Microseconds for one call, the median over calls and then over rounds. The others are
called from Python, as their users do; PyTorch also as a TorchScript module, which does not go through Python's layers.
"""
import argparse
import statistics
import subprocess
import time


def run_eigengrad(binary, threads):
    command = [binary] + [word for count in threads for word in ("--threads", str(count))]
    output = subprocess.run(command, check=True, capture_output=True, text=True)
    if output.stderr:
        raise SystemExit(output.stderr)
    return {f"eigengrad, {name.split('_')[1]} threads": float(value)
            for name, value in (line.split() for line in output.stdout.splitlines())}


def median_us(call, calls=20000):
    for _ in range(1000):
        call()
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e6 * statistics.median(times)


def run_torch(threads):
    import torch
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Linear(6, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(),
                              torch.nn.Linear(64, 2)).eval()
    sample = torch.randn(1, 6)
    results = {}
    with torch.inference_mode():
        script = torch.jit.freeze(torch.jit.trace(net, sample))
        for count in threads:
            torch.set_num_threads(count)
            results[f"PyTorch, {count} threads"] = median_us(lambda: net(sample))
            results[f"PyTorch, TorchScript, {count} threads"] = median_us(lambda: script(sample))
    return results


def onnx_model():
    import numpy
    import onnx
    from onnx import TensorProto, helper
    random = numpy.random.default_rng(1)
    sizes = [6, 64, 64, 2]
    nodes, weights = [], []
    name = "x"
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        for part, shape in (("w", (outputs, inputs)), ("b", (outputs,))):
            values = random.normal(size=shape).astype(numpy.float32)
            weights.append(helper.make_tensor(f"{part}{i}", TensorProto.FLOAT, shape, values.flatten()))
        nodes.append(helper.make_node("Gemm", [name, f"w{i}", f"b{i}"], [f"y{i}"], transB=1))
        name = f"y{i}"
        if i < 2:
            nodes.append(helper.make_node("Relu", [name], [f"r{i}"]))
            name = f"r{i}"
    graph = helper.make_graph(nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 6])],
                              [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model.SerializeToString()


def run_onnxruntime(threads):
    import numpy
    import onnxruntime
    sample = {"x": numpy.random.default_rng(2).normal(size=(1, 6)).astype(numpy.float32)}
    results = {}
    for count in threads:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = count
        session = onnxruntime.InferenceSession(onnx_model(), options, providers=["CPUExecutionProvider"])
        results[f"ONNX Runtime, {count} threads"] = median_us(lambda: session.run(None, sample))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the program one_sample")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rounds = []
    for _ in range(options.rounds):
        rounds.append({**run_eigengrad(options.binary, options.threads), **run_torch(options.threads),
                       **run_onnxruntime(options.threads)})
    print("| one prediction | microseconds |\n|---|---|")
    for name in rounds[0]:
        print(f"| {name} | {statistics.median(r[name] for r in rounds):.2f} |")


if __name__ == "__main__":
    main()
