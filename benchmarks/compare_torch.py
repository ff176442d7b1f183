#!/usr/bin/env python3
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Times the same work with eigengrad and with PyTorch, in turn, and prints the ratio: training steps and inference of
three networks, and the memory of training, or (--convolutions) single convolutions in each direction.

    python3 -m venv build/torch && build/torch/bin/pip install torch==2.13.0 numpy
    cmake --preset release && cmake --build build/release
    build/torch/bin/python benchmarks/compare_torch.py build/release/benchmarks/train_step
    build/torch/bin/python benchmarks/compare_torch.py build/release/benchmarks/train_step --convolutions --seconds 0.2

Every round runs eigengrad, then PyTorch in each of its settings (threads that wait actively or passively; for images
both memory formats), in processes of their own. A line has the medians over the rounds; PyTorch's is that of its best
setting. The ratio is taken round by round, so that a drift of the machine's speed cancels. Run nothing else meanwhile.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile

from compare_convolutions import compare_convolutions
from in_turn import TIME_HEADER, WAIT_POLICIES, compare, ratio_text, run_torch, time_columns

BATCH_SIZES = {"mlp100": {"train": [200], "inference": [1, 256]},
               "mlp700": {"train": [200], "inference": [1, 256]},
               "cnn": {"train": [32, 128], "inference": [1, 256]}}


def settings(network):
    """The ways in which PyTorch runs a network: how threads wait, and how images lie in memory."""
    formats = ["contiguous", "channels_last"] if network == "cnn" else ["contiguous"]
    return [f"{policy} {memory_format}" for policy in WAIT_POLICIES for memory_format in formats]


def run_eigengrad(binary, case, seconds):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "result.json")
        command = [binary, "--network", case["network"], "--mode", case["mode"],
                   "--batch-size", str(case["batch_size"]), "--threads", str(case["threads"]),
                   "--seconds", str(seconds), "--json", file]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with open(file, encoding="utf-8") as results:
            return json.load(results)[0]


def compare_memory(ours, theirs):
    """Bytes at the peak, and how far that is above the moment before the network was made; PyTorch's in the setting
    that needs least."""
    result = {}
    for name, base in (("peak", lambda run: 0), ("growth", lambda run: run["memory_before"])):
        result[name] = compare([run["peak_memory"] - base(run) for run in ours],
                               {setting: [run["peak_memory"] - base(run) for run in runs]
                                for setting, runs in theirs.items()})
    return result


def compare_case(case, options):
    """Runs all rounds of a case and prints its line."""
    ours, theirs = [], {setting: [] for setting in settings(case["network"])}
    for _ in range(options.rounds):
        run = run_eigengrad(options.binary, case, options.seconds)
        ours.append({"ms": run["ms_per_step"], "of_peak": run["gflops"] / run["peak_gflops"],
                     "memory_before": run["memory_before_bytes"], "peak_memory": run["peak_memory_bytes"]})
        for setting, runs in theirs.items():
            wait_policy, memory_format = setting.split()
            runs.append(run_torch({**case, "memory_format": memory_format, "seconds": options.seconds}, wait_policy))
    times = compare([run["ms"] for run in ours],
                    {setting: [run["ms"] for run in runs] for setting, runs in theirs.items()})
    of_peak = statistics.median(run["of_peak"] for run in ours)
    print(f"{name_of(case)}  {time_columns(times, of_peak)}", flush=True)
    return {**case, "of_peak": of_peak, **times, "memory": compare_memory(ours, theirs)}


def name_of(case):
    return f"{case['network']:8} {case['mode']:10} {case['batch_size']:5} {case['threads']:7}"


def print_memory(results):
    print("\nMiB at the peak, and their growth since before the network was made")
    print("network  mode       batch threads"
          + "".join(f"{title:>11}" for title in ("eigengrad", "growth", "PyTorch", "growth", "ratio", "of growth")))
    for result in results:
        peak, growth = result["memory"]["peak"], result["memory"]["growth"]
        columns = "".join(f"{values[side] / 2**20:11.0f}"
                          for side in ("eigengrad", "pytorch") for values in (peak, growth))
        print(f"{name_of(result)}{columns}{ratio_text(peak['ratio']):>11}{ratio_text(growth['ratio']):>11}")


def compare_networks(options):
    print(f"network  mode       batch threads  {TIME_HEADER}")
    results = []
    for network in options.network:
        for mode in options.mode:
            for batch_size in options.batch_size or BATCH_SIZES[network][mode]:
                for threads in options.threads:
                    case = {"network": network, "mode": mode, "batch_size": batch_size, "threads": threads}
                    results.append(compare_case(case, options))
    if "train" in options.mode:
        print_memory([result for result in results if result["mode"] == "train"])
    return results


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the program train_step; beside it is ops")
    parser.add_argument("--network", nargs="+", choices=list(BATCH_SIZES), default=list(BATCH_SIZES))
    parser.add_argument("--mode", nargs="+", choices=["train", "inference"], default=["train", "inference"])
    parser.add_argument("--batch-size", nargs="+", type=int, default=[], help="instead of the usual ones")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement")
    parser.add_argument("--convolutions", action="store_true", help="compare single convolutions instead of networks")
    parser.add_argument("--filter", default="", metavar="REGEX", help="convolutions whose name in ops has this")
    parser.add_argument("--json", metavar="FILE", help="file for the results, round by round")
    return parser.parse_args()


def main():
    options = parse_arguments()

    import torch

    print(f"PyTorch {torch.__version__}, {options.rounds} rounds; medians; ratio is PyTorch / eigengrad")
    if options.convolutions:
        results = compare_convolutions(os.path.join(os.path.dirname(options.binary), "ops"), options)
    else:
        results = compare_networks(options)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"pytorch": torch.__version__, "rounds": options.rounds, "seconds": options.seconds,
                       "results": results}, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
