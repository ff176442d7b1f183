#!/usr/bin/env python3
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Tests the tests: changes one token of a header and asks whether the header's test file notices.

    tests/mutate.py --count 30                          # 30 changes, spread over all layers
    tests/mutate.py --header ops/slice.hpp --count 20   # of one header
    tests/mutate.py --mutant ops/slice.hpp#17           # one change again, by its number

A change is killed if the test fails, crashes or takes too long, invalid if it does not compile, and else it has
survived: then either the test has a gap, or the change means the same. The latter stand with their reasons in
tests/mutate_equivalent.txt and are not tried.

Compiling takes nearly all the time. So several changes of a header are compiled into one program, each behind a switch
(`a < b` becomes `a < Op<17>{} < b`, whose operators choose when the program runs), and the program runs once for each.
A change that cannot be switched, as in a constant expression, is compiled alone.
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = ROOT / "include" / "eigengrad"
TESTS = ROOT / "tests"
LAYERS = ["core", "optim", "ops", "data", "autodiff", "io", "nn", "train", "ops/kernels"]  # the quick ones first

# The test of include/eigengrad/A/B.hpp is tests/A/B_test.cpp. These headers are tested by files of other names.
TESTED_BY = {
    "autodiff/arithmetic.hpp": ["autodiff/functions_test.cpp"],
    "autodiff/function.hpp": ["autodiff/bridge_test.cpp"],
    "autodiff/layers.hpp": ["autodiff/functions_test.cpp"],
    "autodiff/math.hpp": ["autodiff/functions_test.cpp"],
    "autodiff/matmul.hpp": ["autodiff/functions_test.cpp"],
    "autodiff/reduce.hpp": ["autodiff/functions_test.cpp"],
    "autodiff/structure.hpp": ["autodiff/functions_test.cpp"],
    "core/channel_map.hpp": ["nn/fold_test.cpp"],
    "core/error.hpp": ["core/check_test.cpp"],
    "core/scratch.hpp": ["ops/kernels/gemm_test.cpp"],
    "core/sum_of.hpp": ["ops/integer_sums_test.cpp"],
    "core/number_format.hpp": ["core/print_test.cpp"],
    "core/state_differences.hpp": ["nn/load_state_test.cpp"],
    "data/batch_maker.hpp": ["data/batch_maker_test.cpp", "data/prefetch_test.cpp"],
    "data/csv_parser.hpp": ["data/csv_test.cpp"],
    "data/normalize.hpp": ["data/dataset_test.cpp"],
    "data/table_rows.hpp": ["data/csv_test.cpp"],
    "io/safetensors_header.hpp": ["io/safetensors_test.cpp"],
    "nn/state.hpp": ["nn/load_state_test.cpp"],
    "ops/broadcast.hpp": ["ops/broadcast_test.cpp", "ops/arithmetic_test.cpp"],
    "ops/kernels/channel_map.hpp": ["nn/fold_test.cpp"],
    "ops/conv2d_plan.hpp": ["ops/conv2d_algorithm_test.cpp", "ops/conv2d_test.cpp"],
    "ops/kernels/joined_axes.hpp": ["ops/permute_test.cpp"],
    "ops/kernels/matmul_plan.hpp": ["ops/matmul_test.cpp"],
    "ops/kernels/strided.hpp": ["ops/kernels/copy_strided_test.cpp"],
    "core/window.hpp": ["ops/max_pool2d_test.cpp", "ops/avg_pool2d_test.cpp"],
    "ops/kernels/batch_norm.hpp": ["ops/batch_norm_test.cpp"],
    "ops/kernels/even_split.hpp": ["ops/kernels/gemm_test.cpp"],
    "ops/kernels/few_rows.hpp": ["ops/kernels/gemm_test.cpp"],
    "ops/kernels/gemv.hpp": ["ops/kernels/gemm_test.cpp"],
    "ops/kernels/max_pool.hpp": ["ops/max_pool2d_test.cpp"],
    "ops/kernels/operand.hpp": ["ops/kernels/gemm_test.cpp", "ops/conv2d_algorithm_test.cpp"],
    "ops/kernels/pack.hpp": ["ops/kernels/gemm_test.cpp", "ops/kernels/copy_strided_test.cpp"],
    "ops/kernels/packet.hpp": ["ops/kernels/gemm_test.cpp", "ops/relu_test.cpp"],
    "ops/kernels/tile.hpp": ["ops/kernels/gemm_test.cpp"],
    "ops/kernels/winograd_transform.hpp": ["ops/kernels/winograd_test.cpp"],
    "optim/optimizer_state.hpp": ["train/checkpoint_test.cpp"],
    "optim/parameter_groups.hpp": ["optim/optimizer_test.cpp"],
    "train/csv_file.hpp": ["train/files_test.cpp"],
    "train/curves.hpp": ["train/files_test.cpp"],
    "train/evaluate.hpp": ["train/fit_test.cpp"],
    "train/progress.hpp": ["train/files_test.cpp", "train/progress_test.cpp"],
    "train/progress_bar.hpp": ["train/progress_test.cpp"],
    "train/run_directory.hpp": ["train/files_test.cpp"],
}
# Tests of what many headers have in common; a change that the header's own test misses is tried with them.
SWEEPS = {"ops": ["ops/backward_shapes_test.cpp"], "nn": ["nn/wrong_gradient_test.cpp"]}
NATIVE = ["ops/kernels/bf16.hpp"]  # tried with --flags=-march=native alone
CSV = "data/csv_test.cpp"  # needs libcsv
CONVOLUTION = ["ops/conv2d_algorithm_test.cpp"]  # every algorithm on odd sizes: of headers kernels/(conv|tap|winograd)_*.hpp


def tests_of(header):
    named = TESTED_BY.get(header) or [header.removesuffix(".hpp") + "_test.cpp"]
    if not (TESTS / named[0]).exists() and re.match(r"ops/kernels/(conv|tap|winograd)_", header):
        named = CONVOLUTION
    return [test for test in named if (TESTS / test).exists()]


def layer_of(header):
    return header.rpartition("/")[0]


# ---- The changes that a header offers ----------------------------------------------------------------------------

def blank(text, begin, end, filler=" "):
    return text[:begin] + re.sub(r"[^\n]", filler, text[begin:end]) + text[end:]


def closing(text, open_at, pair="()"):
    """The index of the bracket that closes the one at open_at, or -1."""
    depth = 0
    for i in range(open_at, len(text)):
        depth += (text[i] == pair[0]) - (text[i] == pair[1])
        if depth == 0:
            return i
    return -1


def code_of(text):
    """The text with blanks for what is no code to change: comments, strings, directives, template parameters."""
    code = re.sub(r'//[^\n]*|/\*.*?\*/|"(\\.|[^"\\\n])*"|(?<!\w)\'(\\.|[^\'\\\n])+\'|^[ \t]*#(\\\n|[^\n])*',
                  lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S | re.M)
    for m in re.finditer(r"\bstatic_assert\(|\brequires *\(|\bnoexcept\(|\bdecltype\(|\bsizeof\(", code):
        end = closing(code, m.end() - 1)
        code = blank(code, m.start(), end + 1) if end > 0 else code
    for m in re.finditer(r"\btemplate <|\w<(?![ =<])", code):
        end = closing(code, m.end() - 1, "<>")
        code = blank(code, m.end() - 1, end + 1, "~") if 0 < end < m.end() + 200 else code
    return code


COMPARE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
COMPUTE = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "/"}
ASSIGN = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*="}
NAMES = {"begin": "end", "end": "begin", "rows": "cols", "cols": "rows", "true": "false", "false": "true"}


class Mutant:
    """One change: text[begin:end] becomes `new`, or, behind the switch N, `switched`."""

    def __init__(self, header, begin, end, new, switched):
        self.header, self.begin, self.end, self.new, self.switched = header, begin, end, new, switched
        self.number = 0
        self.result = None

    def name(self):
        return f"{self.header}#{self.number}"

    def applied(self, text, switch=None):
        new = self.new if switch is None else self.switched.replace("@", str(switch))
        return text[:self.begin] + new + text[self.end:]

    def lines(self, text):
        """The line before and after the change, without blanks between its parts."""
        first, last = text.rfind("\n", 0, self.begin) + 1, text.find("\n", self.end)
        changed = text[first:self.begin] + self.new + text[self.end:last]
        return [" ".join(part.split()) for part in (text[first:last], changed)]


def operand(code, at, step):
    """The end of the operand of && or || that begins at `at`, going to the right or, with step -1, to the left."""
    depth, opening = 0, "([{" if step > 0 else ")]}"
    i = at
    while 0 <= i < len(code):
        if code[i] in opening:
            depth += 1
        elif code[i] in "()[]{}":
            depth -= 1
            if depth < 0:
                return i
        elif depth == 0:
            if code[i:i + 7] == "return ":
                return i + 6
            if code[i] in ";,?:" or (code[i] in "&|" and code[i] in (code[i - 1], code[i + 1])) or code[i:i + 2] == "= ":
                if code[i] != "=" or code[i - 1] not in "=!<>":
                    return i
        i += step
    return at


def mutants_of(header, text):
    code = code_of(text)
    found = []

    def add(begin, end, new, switched):
        found.append(Mutant(header, begin, end, new, switched))

    for m in re.finditer(r"(?<= )([<>]=?|[=!]=|[-+*/%])(?= )", code):
        op = m.group()
        joins_strings = op == "+" and re.search(
            r'"|std::(to_)?string\(', text[text.rfind("\n", 0, m.start()):text.find("\n", m.end())])
        if not joins_strings and not re.search(r"operator *$", code[:m.start()]):
            add(*m.span(), (COMPARE | COMPUTE)[op], f"{op} (::mutants::Op<@>{{}}) {op}")
    for m in re.finditer(r"(?<= )(&&|\|\|)(?= )", code):
        left, right = operand(code, m.start() - 1, -1) + 1, operand(code, m.end(), 1)
        a, b = text[left:m.start()].strip(), text[m.end():right].strip()
        other = "||" if m.group() == "&&" else "&&"
        if a and b:
            add(left, right, f" ({a} {other} {b})", f" (::mutants::on<@>() ? ({a} {other} {b}) : ({a} {m.group()} {b}))")
    for m in re.finditer(r"(?<![\w.])\d+(\.\d+)?(e-?\d+)?(?![\w.'])", code):
        value = m.group()
        if "." in value or "e" in value:
            others = [f"({value} * 2.0)" if float(value) != 0.0 else "1.0"]
        else:
            others = [str(int(value) + 1)] + ([str(int(value) - 1)] if int(value) > 0 else [])
        for other in others:
            add(*m.span(), other, f"(::mutants::on<@>() ? {other} : {value})")
    for m in re.finditer(r"(?<![\w.>:])(begin|end|rows|cols|true|false)\b(?! *[({])", code):
        other = NAMES[m.group()]
        add(*m.span(), other, f"(::mutants::on<@>() ? {other} : {m.group()})")
    for m in re.finditer(r"\bstd::(min|max)(?=[(<])", code):
        other = "max" if m.group(1) == "min" else "min"
        add(*m.span(), f"std::{other}", f"::mutants::{m.group(1).title()}<@>::of")
    for m in re.finditer(r"^ +((?!return\b|using\b|throw\b|const\b|constexpr\b|auto\b|else\b|case\b|delete\b|static\b)"
                         r"[*+(\w][\w.>:~\[\]() ,*+-]*?( [-+*/|]?= [^;\n]*|\([^;\n]*\)|\+\+|--));$", code, flags=re.M):
        statement = text[m.start(1):m.end(1)]
        before = code[:m.start(1)].rstrip()[-1:]
        if before not in tuple(";{})") or closing(f"({statement})", 0) != len(statement) + 1:
            continue  # a part of a longer statement
        if re.match(r"[\w:<>, ]+[&*]? \w+( =|\(|$)|typename|if\b|for\b|while\b", statement):
            continue
        add(m.start(1), m.end(1) + 1, ";", f"{{ if (!::mutants::on<@>()) {statement}; }}")
        op = re.match(r".*? ([-+*/]=) ", statement)
        if op:
            other = statement[:op.start(1)] + ASSIGN[op.group(1)] + statement[op.end(1):]
            add(m.start(1), m.end(1) + 1, other + ";", f"{{ if (::mutants::on<@>()) {other}; else {statement}; }}")
    for m in re.finditer(r"\b(if|while) \(", code):
        end = closing(code, m.end() - 1)
        condition = text[m.end():end]
        if ";" not in condition:
            add(m.end(), end, f"!({condition})", f"::mutants::on<@>() != static_cast<bool>({condition})")
    for m in re.finditer(r"(?<=\w\()(\w+), (\w+)(?=\))", code):
        a, b = m.groups()
        if not (a.isdigit() or b.isdigit() or re.search(r"(void|operator)\b[^;{}]*$", code[m.start() - 40:m.start()])):
            add(*m.span(), f"{b}, {a}", f"(::mutants::on<@>() ? {b} : {a}), (::mutants::on<@>() ? {a} : {b})")

    found.sort(key=lambda mutant: (mutant.begin, mutant.end, mutant.new))
    for number, mutant in enumerate(found, 1):
        mutant.number = number
    return found


def equivalent_changes():
    """{(header, line before, line after)} of tests/mutate_equivalent.txt; other lines are reasons."""
    table, header = set(), ""
    file = TESTS / "mutate_equivalent.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    for line in lines:
        if line.startswith("- "):
            before = line[2:]
        elif line.startswith("+ "):
            table.add((header, before, line[2:]))
        elif line.endswith(".hpp"):
            header = line
    return table


# ---- Building and running ----------------------------------------------------------------------------------------

PRELUDE = r"""
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <variant>
#include <vector>
#include <Eigen/Core>
#include <gtest/gtest.h>
namespace mutants {
inline const int active = std::getenv("MUTANT") ? std::atoi(std::getenv("MUTANT")) : 0;
template <int N> inline bool on() { return active == N; }
template <int N> struct Op {};
template <int N, char O, class T> struct Pending { const T& left; };
template <class T> auto value(const T& result) {  // of an expression of Eigen: what it computes
  if constexpr (requires { result.eval(); }) return result.eval(); else return result;
}
template <int N> struct Min {
  template <class T> static T of(const T& a, const T& b) { return on<N>() ? std::max(a, b) : std::min(a, b); }
  template <class T> static T of(std::initializer_list<T> a) { return on<N>() ? std::max(a) : std::min(a); }
};
template <int N> struct Max {
  template <class T> static T of(const T& a, const T& b) { return on<N>() ? std::min(a, b) : std::max(a, b); }
  template <class T> static T of(std::initializer_list<T> a) { return on<N>() ? std::min(a) : std::max(a); }
};
#define EIGENGRAD_OPERATOR(op, other, name)                                                                   \
  template <int N, class T> Pending<N, name, T> operator op(const T& left, Op<N>) { return {left}; }          \
  template <int N, class T, class U> auto operator op(Pending<N, name, T> a, const U& b) {                    \
    if (on<N>()) return value(a.left other b);                                                                \
    return value(a.left op b);                                                                                \
  }
EIGENGRAD_OPERATOR(<, <=, 'a')
EIGENGRAD_OPERATOR(<=, <, 'b')
EIGENGRAD_OPERATOR(>, >=, 'c')
EIGENGRAD_OPERATOR(>=, >, 'd')
EIGENGRAD_OPERATOR(==, !=, 'e')
EIGENGRAD_OPERATOR(!=, ==, 'f')
EIGENGRAD_OPERATOR(+, -, 'g')
EIGENGRAD_OPERATOR(-, +, 'h')
EIGENGRAD_OPERATOR(*, /, 'i')
EIGENGRAD_OPERATOR(/, *, 'j')
EIGENGRAD_OPERATOR(%, /, 'k')
}  // namespace mutants
"""


def limited():
    """Of a process that may do anything: 8 GB of memory, no core files, the lowest priority, a group of its own."""
    os.setsid()
    os.nice(19)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(command, seconds, **more):
    """(exit code or None for a time-out, output)"""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   preexec_fn=limited, **more)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        if code is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        return code, output.read().decode(errors="replace")


class Builder:
    """Compiles and runs the test of one header at a time."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.left_out = set()
        self.work = pathlib.Path(arguments.work).resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.compiler = arguments.compiler
        self.is_clang = "clang" in run([self.compiler, "--version"], 60)[1]
        flags = ["-std=c++20", "-O0", "-DNDEBUG", "-w", *arguments.flags.split(), "-isystem", arguments.eigen]
        self.flags = flags + ([] if self.is_clang else ["-fmax-errors=0"])
        if self.is_clang:
            self.flags += ["-ferror-limit=0"]
        prelude = self.work / "prelude.hpp"
        stamp = self.work / "stamp"
        key = PRELUDE + self.compiler + " ".join(self.flags)
        self.compiled = self.work / ("prelude.pch" if self.is_clang else "prelude.hpp.gch")
        if not self.compiled.exists() or not stamp.exists() or stamp.read_text() != key:
            prelude.write_text(PRELUDE)
            code, output = run([self.compiler, *self.flags, "-x", "c++-header", str(prelude), "-o", str(self.compiled)],
                               600)
            if code != 0:
                sys.exit(f"mutate: the precompiled header does not compile:\n{output}")
            stamp.write_text(key)
        self.include = ["-include-pch", str(self.compiled)] if self.is_clang else ["-include", str(prelude)]

    def build(self, folder, header, text, tests):
        """Compiles the tests against a copy of the headers with `text` for `header`: (program or None, output)"""
        copy = folder / "include" / "eigengrad"
        if not copy.exists():
            shutil.copytree(HEADERS, copy)
        (copy / header).write_text(text)
        program = folder / "program"
        sources = [str(TESTS / test) for test in tests]
        code, output = run([self.compiler, *self.flags, *self.include, f"-I{folder / 'include'}", f"-I{TESTS}",
                            f'-DEIGENGRAD_GOLDEN_DIR="{TESTS / "golden"}"', *sources, "-o", str(program),
                            "-lgtest", "-lgtest_main", "-lpthread", *(["-lcsv"] if CSV in tests else [])],
                           self.arguments.compile_limit)
        return (program if code == 0 else None), ("compiling took too long" if code is None else output)

    def try_program(self, program, folder, number, seconds):
        chosen = f"{self.arguments.filter}-{':'.join(sorted(self.left_out))}"
        environment = os.environ | {"MUTANT": str(number), "GTEST_FILTER": chosen}
        return run([str(program), "--gtest_fail_fast"], seconds, env=environment, cwd=folder)

    def try_original(self, program, folder, header):
        """Runs the program without a change, finds its slow tests, and returns the seconds of the others."""
        code, output = self.try_program(program, folder, 0, 3600)
        if code != 0:
            raise RuntimeError(f"the tests of {header} fail without a change:\n{output[-3000:]}")
        seconds = {name: int(ms) / 1000 for name, ms in re.findall(r"\[ +OK \] (\S+) \((\d+) ms\)", output)}
        self.left_out = {name for name, time in seconds.items() if time > self.arguments.slow}
        if self.left_out:
            print(f"{header}: left out as slow:", *self.left_out)
        return sum(time for name, time in seconds.items() if name not in self.left_out)

    def try_switched(self, folder, header, text, mutants, tests):
        """Runs the mutants that can be switched; returns those that cannot."""
        alone, switched = [], sorted(mutants, key=lambda mutant: -mutant.begin)
        while switched:
            changed = text
            for mutant in switched:
                changed = mutant.applied(changed, mutant.number)
            program, output = self.build(folder, header, changed, tests)
            if program:
                break
            # Out goes what an error names, by the number in a type or by its line.
            numbers = {int(n) for n in re.findall(r"(?:Op|Pending|on|Min|Max)<(\d+)", output)}
            lines = {int(n) for n in re.findall(re.escape(f"include/eigengrad/{header}") + r":(\d+):", output)}
            refused = [m for m in switched if m.number in numbers or text.count("\n", 0, m.begin) + 1 in lines]
            refused = refused or switched
            alone += refused
            switched = [m for m in switched if m not in refused]
        if switched:
            seconds = self.try_original(program, folder, header)
            for mutant in switched:
                code, _ = self.try_program(program, folder, mutant.number, 15 + 4 * seconds)
                mutant.result = "survived" if code == 0 else "killed"
        return alone

    def try_alone(self, folder, text, mutant, tests):
        program, output = self.build(folder, mutant.header, mutant.applied(text), tests)
        if not program:
            mutant.result = "invalid"
            return
        code, _ = self.try_program(program, folder, -1, 300)
        mutant.result = "survived" if code == 0 else "killed"

    def try_all(self, header, mutants):
        self.left_out = set()
        text = (HEADERS / header).read_text()
        tests = tests_of(header)
        with tempfile.TemporaryDirectory(dir=self.work) as name:
            folder = pathlib.Path(name)
            for mutant in self.try_switched(folder, header, text, mutants, tests):
                if self.arguments.quick:
                    mutant.result = "left out"
                else:
                    self.try_alone(folder, text, mutant, tests)
            survivors = [mutant for mutant in mutants if mutant.result == "survived"]
            sweep = SWEEPS.get(layer_of(header))
            if survivors and sweep:
                self.left_out = set()
                self.try_switched(folder, header, text, survivors, sweep)
        return mutants


# ---- Choosing and telling ----------------------------------------------------------------------------------------

def choose(arguments, offered):
    """{header: mutants}: `count` of them, shared by the layers as their headers are, at most `together` of a header."""
    if arguments.mutant:
        wanted = set(arguments.mutant)
        chosen = {h: [m for m in all_of if m.name() in wanted] for h, all_of in offered.items()}
        return {h: few for h, few in chosen.items() if few}
    dice = random.Random(arguments.seed)
    sites = {}
    for header, all_of in offered.items():
        sites.setdefault(layer_of(header), []).append(header)
    chosen, left = {}, arguments.count
    together = arguments.together if not arguments.header else arguments.count
    for layer in sorted(sites, key=LAYERS.index):
        share = max(1, round(arguments.count * len(sites[layer]) / len(offered)))
        share = min(share, left)
        headers = sites[layer][:]
        dice.shuffle(headers)
        for header in headers:
            some = []
            candidates = offered[header][:]
            dice.shuffle(candidates)
            for mutant in candidates:
                if len(some) == min(together, share):
                    break
                if all(mutant.end <= other.begin or other.end <= mutant.begin for other in some):
                    some.append(mutant)
            if some:
                chosen[header] = some
            share -= len(some)
            left -= len(some)
            if share <= 0:
                break
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=30, help="changes to try (30)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layer", action="append", choices=LAYERS, help="of this folder alone; may be repeated")
    parser.add_argument("--header", action="append", help="of this header alone, as ops/slice.hpp; may be repeated")
    parser.add_argument("--mutant", action="append", help="this change alone, as ops/slice.hpp#17; may be repeated")
    parser.add_argument("--together", type=int, default=8, help="changes compiled into one program (8)")
    parser.add_argument("--jobs", type=int, default=1, help="programs at a time (1)")
    parser.add_argument("--list", action="store_true", help="print the changes that would be tried, and try none")
    parser.add_argument("--filter", default="*", help="of GoogleTest: these tests alone")
    parser.add_argument("--quick", action="store_true", help="leave out changes that must be compiled alone")
    parser.add_argument("--slow", type=float, default=5.0, help="tests that take more seconds are left out (5)")
    parser.add_argument("--compile-limit", type=int, default=1200, help="seconds for one compilation (1200)")
    parser.add_argument("--compiler", default=os.environ.get("CXX") or shutil.which("clang++") or "c++")
    parser.add_argument("--flags", default="-march=x86-64-v3" if os.uname().machine == "x86_64" else "")
    parser.add_argument("--eigen", default="/usr/include/eigen3", help="folder of Eigen's headers")
    parser.add_argument("--work", default=str(ROOT / "build" / "mutate"), help="folder for what is built")
    arguments = parser.parse_args()

    known = equivalent_changes()
    offered, untested = {}, []
    for file in sorted(HEADERS.rglob("*/*.hpp")):
        header = file.relative_to(HEADERS).as_posix()
        if header in NATIVE and "native" not in arguments.flags:
            continue
        wanted = {m.split("#")[0] for m in arguments.mutant or []} or set(arguments.header or [])
        if (wanted and header not in wanted) or (arguments.layer and layer_of(header) not in arguments.layer):
            continue
        text = file.read_text()
        all_of = [m for m in mutants_of(header, text) if (header, *m.lines(text)) not in known]
        if all_of and tests_of(header):
            offered[header] = all_of
        elif all_of:
            untested.append(header)
    if untested:
        print("without a test file:", *untested)
    if not offered:
        sys.exit("mutate: no header to change")
    chosen = choose(arguments, offered)

    def show(mutant):
        text = (HEADERS / mutant.header).read_text()
        before, after = mutant.lines(text)
        print(f"{mutant.name()} line {text.count(chr(10), 0, mutant.begin) + 1}\n- {before}\n+ {after}")

    if arguments.list:
        for few in chosen.values():
            for mutant in few:
                show(mutant)
        return 0

    Builder(arguments)  # makes the precompiled header
    results = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        tasks = [pool.submit(lambda *job: Builder(arguments).try_all(*job), *job) for job in chosen.items()]
        for task in concurrent.futures.as_completed(tasks):
            try:
                tried = task.result()
            except RuntimeError as problem:
                print(f"mutate: {problem}")
                continue
            for mutant in tried:
                results.append(mutant)
                print(f"{mutant.result:8} ", end="")
                show(mutant)
            sys.stdout.flush()

    print(f"\n{'layer':12} killed survived invalid")
    for layer in LAYERS + [None]:
        of_layer = [m.result for m in results if layer in (layer_of(m.header), None)]
        if of_layer:
            counts = [of_layer.count(result) for result in ("killed", "survived", "invalid")]
            print(f"{layer or 'all':12} {counts[0]:6} {counts[1]:8} {counts[2]:7}")
    survivors = [m for m in results if m.result == "survived"]
    print(f"\nsurvivors: {len(survivors)}")
    for mutant in survivors:
        show(mutant)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
