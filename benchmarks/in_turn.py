# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""What the comparisons with PyTorch share: processes that run in turn, and ratios taken round by round."""
import json
import os
import statistics
import subprocess
import sys

WAIT_POLICIES = ["active", "passive"]  # of PyTorch's threads while they have nothing to do
CHILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_child.py")


def run_torch(job, wait_policy):
    """What torch_child.py answers to a job, a dictionary with `threads`, in a process of its own."""
    threads = str(job["threads"])
    environment = dict(os.environ, OMP_WAIT_POLICY=wait_policy.upper(), OMP_NUM_THREADS=threads,
                       MKL_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
    command = [sys.executable, CHILD, json.dumps(job)]
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout)


def least(values_of_settings):
    """The setting whose median over the rounds is the smallest."""
    return min(values_of_settings, key=lambda setting: statistics.median(values_of_settings[setting]))


def compare(ours, theirs):
    """Medians over the rounds, and the ratio of PyTorch's best setting to ours, taken in each round.

    `ours` is a list with a number for each round, `theirs` such a list for each setting.
    """
    best = least(theirs)
    ratios = [their / our for their, our in zip(theirs[best], ours)]
    return {"eigengrad": statistics.median(ours), "pytorch": statistics.median(theirs[best]), "best_setting": best,
            "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios),
            "eigengrad_rounds": ours, "pytorch_rounds": theirs}


def ratio_text(ratio):
    return f"{ratio:.2f}" if ratio >= 0.095 else f"{ratio:.4f}"


def time_columns(result, of_peak):
    """The right part of a line on times, below TIME_HEADER."""
    ratio, low, high = (ratio_text(result[name]) for name in ("ratio", "ratio_min", "ratio_max"))
    return (f"{result['eigengrad']:12.3f} {100 * of_peak:6.1f} % {result['pytorch']:12.3f}  "
            f"{result['best_setting']:21} {ratio:>6} [{low}, {high}]")


TIME_HEADER = "eigengrad ms  of peak   PyTorch ms  with                   ratio [min, max]"
