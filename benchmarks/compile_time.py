#!/usr/bin/env python3
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""What programs cost to compile: user time, as a multiple of that of one product of Eigen's, peak memory and size.

    benchmarks/compile_time.py [--compiler clang++] [--flags="-O2 -march=native"] [--rounds 3] [--headers]

Each round compiles every program once; the table has the least time of the rounds. --headers also compiles every header
of the library by itself.
"""
import argparse
import glob
import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

EIGEN = """#include <Eigen/Dense>
#include <iostream>
int main() {
  Eigen::MatrixXf a = Eigen::MatrixXf::Random(30, 40), b = Eigen::MatrixXf::Random(40, 20);
  Eigen::MatrixXf c = a * b;
  std::cout << c(0, 0);
}
"""
UMBRELLA = "#include <eigengrad/eigengrad.hpp>\nint main() {}\n"
CONVNET = """  eg::nn::Sequential net{
      eg::nn::Conv2d{3, 32, {.kernel = 3, .padding = 1}},  eg::nn::BatchNorm2d{32}, eg::nn::ReLU{},
      eg::nn::MaxPool2d{{.kernel = 2}},
      eg::nn::Conv2d{32, 64, {.kernel = 3, .padding = 1}}, eg::nn::BatchNorm2d{64}, eg::nn::ReLU{},
      eg::nn::MaxPool2d{{.kernel = 2}},
      eg::nn::Flatten{}, eg::nn::Linear{8 * 8 * 64, 10}};
"""
TRAIN = """#include <iostream>
#include <eigengrad/eigengrad.hpp>
namespace eg = eigengrad;
int main() {
  auto [train, test] = eg::data::synthetic_cifar10(/*seed=*/42);
""" + CONVNET + """  eg::optim::Adam adam{net.parameters(), {.learning_rate = 1e-3}};
  eg::data::Loader batches{train, {.batch_size = 32, .epochs = 1}};
  eg::train::fit(net, eg::nn::SoftmaxCrossEntropy{}, adam, batches, test);
  std::cout << eg::train::accuracy(net, test);
}
"""
INFERENCE = """#include <iostream>
#include <eigengrad/eigengrad.hpp>
namespace eg = eigengrad;
int main() {
""" + CONVNET + """  std::cout << net.forward(eg::Tensor<float>::ones({1, 32, 32, 3}), eg::Mode::inference);
}
"""


def first_program_of_readme():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        return re.search(r"```cpp\n(.*?)```", readme.read(), re.DOTALL).group(1)


def run(command):
    """The user seconds and the peak memory in MB of a command and what it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{shlex.join(command)}\n{errors}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime, usage.ru_maxrss / 1024


class Compiler:
    def __init__(self, options, folder):
        self.command = [options.compiler, "-std=c++20", "-I" + os.path.join(ROOT, "include"), "-isystem", options.eigen]
        self.flags = shlex.split(options.flags)
        self.folder = folder

    def measure(self, name, source, flags=None):
        """User seconds, MB and bytes of code of a program."""
        path = os.path.join(self.folder, name + ".cpp")
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
        target = os.path.join(self.folder, name + ".o")
        seconds, megabytes = run(self.command + (self.flags if flags is None else flags) + ["-c", path, "-o", target])
        size = subprocess.run(["size", target], check=True, stdout=subprocess.PIPE, text=True).stdout
        return seconds, megabytes, int(size.splitlines()[1].split()[0])


def least(measurements):
    """The measurement of the least time, of those of all rounds."""
    return min(measurements, key=lambda measurement: measurement[0])


def table(title, rows, base):
    print(f"\n| {title} | user seconds | ratio | peak memory | code |")
    print("|---|---|---|---|---|")
    for name, (seconds, megabytes, code) in rows:
        print(f"| {name} | {seconds:.1f} | {seconds / base:.2f} | {megabytes:.0f} MB | {code / 1024:.0f} KB |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--flags", default="-O2 -march=native")
    parser.add_argument("--eigen", default="/usr/include/eigen3", help="folder of Eigen's headers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--headers", action="store_true", help="every header by itself, too")
    options = parser.parse_args()
    programs = {
        "Eigen/Dense and one product": EIGEN,
        "the umbrella header alone": UMBRELLA,
        "README's first program": first_program_of_readme(),
        "ConvNet, trained": TRAIN,
        "ConvNet, inference alone": INFERENCE,
    }
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(options, folder)
        unoptimised = [flag for flag in compiler.flags if not flag.startswith("-O")] + ["-O0"]
        cases = [(name, source, compiler.flags) for name, source in programs.items()]
        cases += [(name + ", -O0", programs[name], unoptimised)
                  for name in ("Eigen/Dense and one product", "ConvNet, trained")]
        rounds = [[compiler.measure(f"program_{i}", source, flags) for i, (_, source, flags) in enumerate(cases)]
                  for _ in range(options.rounds)]
        best = [(case[0], least(measurements)) for case, measurements in zip(cases, zip(*rounds))]
        optimised = len(programs)
        table(f"{options.compiler} {options.flags}", best[:optimised], best[0][1][0])
        table(f"{options.compiler} {' '.join(unoptimised)}", best[optimised:], best[optimised][1][0])
        if options.headers:
            paths = sorted(glob.glob(os.path.join(ROOT, "include", "eigengrad", "**", "*.hpp"), recursive=True))
            names = [os.path.relpath(path, os.path.join(ROOT, "include")) for path in paths]
            rows = [(name, compiler.measure("header", f"#include <{name}>\n")) for name in names]
            table("header", rows, best[0][1][0])


if __name__ == "__main__":
    main()
