// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/index.hpp>

namespace eigengrad::EIGENGRAD_ISA::train {

/// One evaluation during training.
struct Measurement {
  Index step = 0;
  double train_loss = 0.0;  ///< mean over the samples of the steps since the last evaluation
  double validation_loss = 0.0;
  double validation_accuracy = 0.0;  ///< NaN if the targets are no labels
  double seconds = 0.0;              ///< spent on training so far, evaluations not counted
};

}  // namespace eigengrad::EIGENGRAD_ISA::train
