// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

// Options as PyTorch's optimisers spell them, {.lr = 0.1}: what an optimiser is given by mistake, so that the compiler
// can say how the member is called here instead of listing all constructors.

namespace eigengrad::EIGENGRAD_ISA::optim::detail {

struct PyTorchOptions {
  /// Comes first and is made by nothing, so that {0.1} and {} are the real options.
  struct Nothing {
    explicit Nothing() = default;
  };
  struct Number {
    Number(double) {}  // NOLINT(google-explicit-constructor): stands for a number
  };

  Nothing nothing = Nothing();
  Number lr;
  double momentum = 0.0, dampening = 0.0, alpha = 0.0, beta1 = 0.0, beta2 = 0.0, eps = 0.0, weight_decay = 0.0;
  bool amsgrad = false, nesterov = false, centered = false;
};

}  // namespace eigengrad::EIGENGRAD_ISA::optim::detail
