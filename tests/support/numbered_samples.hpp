// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <numeric>
#include <span>
#include <vector>

#include <eigengrad/data/dataset.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {

/// Samples whose input and target are their own number.
inline data::TensorDataset<float, Index> numbered_samples(Index count) {
  std::vector<float> inputs(static_cast<std::size_t>(count));
  std::vector<Index> targets(static_cast<std::size_t>(count));
  std::iota(inputs.begin(), inputs.end(), 0.0F);
  std::iota(targets.begin(), targets.end(), Index{0});
  return {Tensor<float>({count, 1}, std::span<const float>(inputs)),
          Tensor<Index>({count}, std::span<const Index>(targets))};
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
