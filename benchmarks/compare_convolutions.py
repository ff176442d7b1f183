# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Single convolutions, each direction by itself: the part of compare_torch.py behind --convolutions."""
import json
import re
import statistics
import subprocess

from in_turn import TIME_HEADER, WAIT_POLICIES, compare, run_torch, time_columns

DIRECTIONS = ["forward", "backward_input", "backward_weight"]


def list_cases(ops):
    """The convolutions that the program `ops` has. A name as conv2d_forward/batch:32/in:3/... says all about one."""
    command = [ops, "--benchmark_list_tests=true", "--benchmark_filter=^conv2d_"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    cases = []
    for name in names:
        numbers = {key: int(value) for key, value in re.findall(r"(\w+):(\d+)", name)}
        cases.append({"name": name, "direction": re.match(r"conv2d_(\w+)/", name)[1], **numbers})
    return cases


def shape_of(case):
    """As "64->128 3x3 stride 2, 32x32": what differs from the usual is said."""
    text = f"{case['in']}->{case['out']} {case['kernel']}x{case['kernel']}"
    for name, usual in (("stride", 1), ("dilation", 1), ("groups", 1)):
        if case[name] != usual:
            text += f" {name} {case[name]}"
    return f"{text}, {case['image']}x{case['image']}"


def run_eigengrad(ops, cases, seconds):
    """Milliseconds and the share of the FMA peak by the name of the case; the peak is measured in the same process."""
    names = [f"fma_peak/threads:{cases[0]['threads']}/.*"] + [case["name"] for case in cases]
    # Five repetitions of a fifth of the time, the median of which is taken: as torch_child.py does.
    command = [ops, f"--benchmark_filter=^({'|'.join(names)})$", f"--benchmark_min_time={seconds / 5}",
               "--benchmark_repetitions=5", "--benchmark_report_aggregates_only=true", "--benchmark_format=json"]
    output = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    medians = {run["run_name"]: run for run in output["benchmarks"] if run["aggregate_name"] == "median"}
    peak = next(run["FLOP/s"] for name, run in medians.items() if name.startswith("fma_peak"))
    return {case["name"]: (medians[case["name"]]["real_time"], medians[case["name"]]["FLOP/s"] / peak)
            for case in cases}


def compare_group(ops, cases, options):
    """Compares the cases of one shape and number of threads, all in the same processes, and prints them."""
    ours = {case["name"]: [] for case in cases}
    peaks = {case["name"]: [] for case in cases}
    theirs = {case["name"]: {} for case in cases}
    for _ in range(options.rounds):
        for name, (milliseconds, of_peak) in run_eigengrad(ops, cases, options.seconds).items():
            ours[name].append(milliseconds)
            peaks[name].append(of_peak)
        for policy in WAIT_POLICIES:
            job = {"threads": cases[0]["threads"], "seconds": options.seconds, "cases": cases}
            for name, by_format in run_torch(job, policy).items():
                for memory_format, milliseconds in by_format.items():
                    theirs[name].setdefault(f"{policy} {memory_format}", []).append(milliseconds)
    results = []
    for case in cases:
        name = case["name"]
        result = compare(ours[name], theirs[name])
        of_peak = statistics.median(peaks[name])
        print(f"{shape_of(case):32} {case['direction']:15} {case['batch']:5} {case['threads']:7}  "
              f"{time_columns(result, of_peak)}", flush=True)
        results.append({**case, "of_peak": of_peak, **result})
    return results


def compare_convolutions(ops, options):
    cases = [case for case in list_cases(ops)
             if case["threads"] in options.threads and re.search(options.filter, case["name"])
             and (not options.batch_size or case["batch"] in options.batch_size)]
    cases.sort(key=lambda case: (case["batch"], DIRECTIONS.index(case["direction"])))
    groups = {}
    for case in cases:
        groups.setdefault((shape_of(case), case["threads"]), []).append(case)
    print(f"{'convolution':32} {'direction':15} batch threads  {TIME_HEADER}")
    return [result for group in groups.values() for result in compare_group(ops, group, options)]
