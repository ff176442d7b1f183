// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/optim/parameter_groups.hpp>

#include "support/golden.hpp"
#include "support/tensors.hpp"

// Does an optimiser take the steps that PyTorch takes? The golden cases are those that `record` of
// tests/golden/optimizers.py writes: three parameters, five steps.
//   const testing::Golden golden("adam");
//   testing::expect_steps_match<double>(golden, "decay", 1e-14, [](const auto& parameters) {
//     return optim::Adam{parameters, {.weight_decay = 0.3}};
//   });

namespace eigengrad::EIGENGRAD_ISA::testing {

/// make(pointers to the parameters) builds the optimiser; before(optimiser, step) is called before each step.
template <class T, class Make, class Before>
void expect_steps_match(const Golden& golden, const std::string& name, double tolerance, const Make& make,
                        const Before& before) {
  std::vector<Parameter<T>> parameters(3);
  std::vector<Parameter<T>*> pointers;
  for (std::size_t i = 0; i < 3; ++i) {
    parameters[i].value = golden["start." + std::to_string(i)].template cast<T>();
    pointers.push_back(&parameters[i]);
  }
  auto optimizer = make(pointers);
  for (Index step = 0; step < 5; ++step) {
    const auto key = [&](std::size_t i) { return "." + std::to_string(step) + "." + std::to_string(i); };
    for (std::size_t i = 0; i < 3; ++i) {
      if ((step == 0 && i == 2) || (step == 2 && i == 1)) continue;  // without a gradient
      parameters[i].add_grad(golden["grad" + key(i)].template cast<T>());
    }
    before(optimizer, step);
    optimizer.step();
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_LT(difference(parameters[i].value, golden[name + key(i)].template cast<T>()), tolerance)
          << golden.name() << ": " << name << ", step " << step << ", parameter " << i;
    }
  }
}

template <class T, class Make>
void expect_steps_match(const Golden& golden, const std::string& name, double tolerance, const Make& make) {
  expect_steps_match<T>(golden, name, tolerance, make, [](auto&, Index) {});
}

/// The groups of the golden cases "groups" and "scheduled".
template <class T>
std::vector<optim::ParameterGroup<T>> golden_groups(const std::vector<Parameter<T>*>& parameters) {
  return {{.parameters = {parameters[0]}, .learning_rate = 0.03, .weight_decay = 0.2},
          {.parameters = {parameters[1]}, .weight_decay = 0.0},
          {.parameters = {parameters[2]}}};
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
