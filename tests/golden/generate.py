#!/usr/bin/env python3
# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Writes the golden files beside it: what PyTorch computes, in float64, for the tests to compare with.

    python3 -m venv build/torch && build/torch/bin/pip install torch==2.13.0 numpy
    build/torch/bin/python tests/golden/generate.py

With names after it, as in `generate.py sgd mlp`, it writes these files alone.
"""
import sys

import convolution
import layers
import networks
import optimizers
import structure_ops
import tensor_ops

FILES = {**convolution.FILES, **layers.FILES, **networks.FILES, **optimizers.FILES, **structure_ops.FILES,
         **tensor_ops.FILES}

if __name__ == "__main__":
    for name in sys.argv[1:] or FILES:
        FILES[name]()
