#!/usr/bin/env python3
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Builds the fuzz targets with clang and its sanitizers and runs each for a while.

    tests/fuzz/run.py --seconds 180
    tests/fuzz/run.py --only flags

What they learn stays in build/fuzz/corpus. An input that breaks a promise lies in build/fuzz/findings, and
build/fuzz/tests/fuzz/fuzz_NAME FILE runs it again.
"""

import argparse
import gzip
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "fuzz"


def cifar10_seeds():
    record = bytes([7]) + bytes(range(256)) * 12
    yield bytes([0])
    for records in (1, 2, 3):
        yield bytes([records]) + record * records
    yield bytes([1]) + record[:-1]
    yield bytes([1]) + record + b"\0"
    yield bytes([2]) + record + bytes([10]) + record[1:]
    for first in (65, 66, 129, 130):  # CIFAR-100: coarse labels, then fine ones
        record = bytes([19, 99]) + bytes(range(256)) * 12
        yield bytes([first]) + record * (first % 4)
        yield bytes([first]) + bytes([20]) + record[1:]


def golden_seeds(pattern, prefix=b""):
    for path in sorted((ROOT / "tests" / "golden").glob(pattern)):
        yield prefix + path.read_bytes()


def npy_seeds():
    yield from golden_seeds("*.npy")


def idx_seeds():
    for sizes in ([3], [2, 2, 3], [0, 4], [1, 1, 1, 1, 1, 2], [2**31, 2**31, 8], [1000]):
        count = 1
        for size in sizes:
            count *= size
        header = bytes([0, 0, 8, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)
        whole = header + bytes(range(200)) * 5 if count > 1000 else header + (bytes(range(200)) * 5)[:count]
        yield whole
        yield whole + b"x"
        yield gzip.compress(whole)
        yield gzip.compress(whole)[:-3]


def image_seeds():
    for pattern in ("*.png", "*.jpg"):
        for first in (0, 1, 0x17):
            yield from golden_seeds(pattern, bytes([first]))
    yield b"\0BM" + bytes([62, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 24]) + bytes(35)


def safetensors_seeds():
    yield from golden_seeds("*.safetensors", bytes([1]))
    tensor = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    yield bytes([2 * 8]) + tensor + bytes(8)
    yield bytes([0]) + b'{"__metadata__":{"a":"b"},"c":{"dtype":"BOOL","shape":[],"data_offsets":[0,0]}}'


def checkpoint_seeds():
    checkpoint = (b'{"course":{"step":3,"loss_sum":0.5,"samples":8,"seconds":"nan","history":[[3,1,"inf",0.5,2]]},'
                  b'"loader":{"epoch":0,"batch":3,"last_epoch":9,"samples":9,"batch_size":2,"shuffle":true,'
                  b'"drop_last":false,"seed":1},"random_streams":{"2.random":[1,2,3]},'
                  b'"optimizer":{"name":"Adam","learning_rate":0.1,"learning_rate_factor":1,"steps":{"0.bias":3}}}')
    yield bytes([0]) + checkpoint
    header = (b'{"__metadata__":{"checkpoint":"' + checkpoint.replace(b'"', b'\\"') + b'"},'
              b'"network.0.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
              b'"optimizer.0.bias.exp_avg":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}')
    yield bytes([1]) + len(header).to_bytes(8, "little") + header + bytes(8)


def csv_seeds():
    texts = [b"", b"a,b\n1,2\n3,4\n", b"\xef\xbb\xbf0,1\r\nx,2.5\r\n\"y \"\"z\"\"\r\n\",-1e-3", b"0,1\r\r1,1e400\r", b" 0\t, \"1\" \n\n+1,.5",
             b"0,1\n7,1e-400\n10,0x1\n", b"0,1\n,\n", b"1,2,3\n1,2\n", b"0,1\na\"b,1\n", b"0,1\n\"a\"b,1\n", b"0,1\n\"a,1\n",
             b"0,1\nnan,inf\n", b"0,0\n1,1\n", b"0,1\n1,2\0\n"]
    for options in range(16):
        for text in texts:
            yield bytes([options]) + (text.replace(b",", b";") if options & 1 else text)


def flags_seeds():
    numbers = ["0", "-1", "1", "1e-3", "0.5", "nan", "inf", "1e400", "9223372036854775808", "18446744073709551616", "", "x"]
    flags = ["learning-rate", "momentum", "weight-decay", "label-smoothing", "clip-grad-norm", "warmup-steps", "step-size",
             "step-gamma", "max-steps", "batch-size", "eval-freq", "checkpoint-every", "seed", "threads",
             "dropout"]
    for flag in flags:
        for number in numbers:
            yield f"--{flag}\n{number}".encode()
    for text in ["--help", "--init\nnormal:1e-4", "--init\nnormal:nan", "--init\nkaiming", "--init=xavier:1",
                 "--hidden-units\n100,50", "--hidden-units=", "--hidden-units\n1,,2", "--augment\ncrop,flip,cutout",
                 "--optimizer\nadamw\n--schedule\none-cycle", "--normalization\npixels\n--dataset\nsynthetic",
                 "--data-dir\n.\n--run-dir\nruns", "--precision\nmedium", "stray", "--unknown\n1"]:
        yield text.encode()


SEEDS = {"cifar10": cifar10_seeds, "npy": npy_seeds, "idx": idx_seeds, "image": image_seeds, "csv": csv_seeds,
         "safetensors": safetensors_seeds, "checkpoint": checkpoint_seeds, "flags": flags_seeds}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--only", choices=SEEDS, help="one target")
    parser.add_argument("--compiler", default=os.environ.get("CXX", "clang++"), help="clang++ of any version")
    arguments = parser.parse_args()
    names = [arguments.only] if arguments.only else list(SEEDS)

    subprocess.run(["cmake", "--preset", "fuzz", f"-DCMAKE_CXX_COMPILER={arguments.compiler}"], cwd=ROOT, check=True)
    subprocess.run(["cmake", "--build", BUILD, "--target", *(f"fuzz_{name}" for name in names)], cwd=ROOT, check=True)

    broken = []
    for name in names:
        corpus, findings = BUILD / "corpus" / name, BUILD / "findings"
        corpus.mkdir(parents=True, exist_ok=True)
        findings.mkdir(exist_ok=True)
        for number, seed in enumerate(SEEDS[name]()):
            (corpus / f"seed_{number}").write_bytes(seed)
        print(f"fuzz_{name}: {arguments.seconds} s", flush=True)
        command = [BUILD / "tests" / "fuzz" / f"fuzz_{name}", corpus, f"-max_total_time={arguments.seconds}",
                   "-max_len=12300", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1",
                   f"-artifact_prefix={findings}/{name}_"]
        if subprocess.run(command).returncode != 0:
            broken.append(name)
    print(f"broken: {', '.join(broken)}; the inputs are in {BUILD / 'findings'}" if broken else "nothing found")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
