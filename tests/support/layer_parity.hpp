// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/core/layer.hpp>

#include "support/golden.hpp"
#include "support/tensors.hpp"

// Does a layer compute what PyTorch computes? The golden cases are those that add_layer of tests/golden/golden.py
// writes.
//   const testing::Golden golden("conv2d");
//   testing::expect_matches_pytorch(golden, "stride", []<class T>() { return nn::Conv2d<T>{3, 4, {...}}; });

namespace eigengrad::EIGENGRAD_ISA::testing {

/// One forward and one backward in one number type: y, dx, the gradients of all parameters, the buffers after.
template <class L>
void expect_layer_case(const Golden& golden, const std::string& name, L layer, Mode mode, double tolerance) {
  using T = scalar_of<L>;
  const auto tensor = [&](const std::string& part) { return golden[name + "." + part].template cast<T>(); };
  const auto expect_equal = [&](const Tensor<T>& got, const std::string& part) {
    EXPECT_LT(difference(got, tensor(part)), tolerance) << golden.name() << ": " << name << "." << part;
  };
  visit(layer, {.parameter = [&](std::string_view p, Parameter<T>& x) { x.value = tensor(std::string(p)); },
                .buffer = [&](std::string_view b, Tensor<T>& x) { x = tensor(std::string(b)); }});
  const Tensor<T> y = layer.forward(tensor("x"), mode);
  EXPECT_EQ(y.shape(), layer.output_shape(tensor("x").shape()));
  const Tensor<T> dx = layer.backward(tensor("dy"));
  expect_equal(y, "y");
  expect_equal(dx, "dx");
  visit(layer, {.parameter = [&](std::string_view p, Parameter<T>& x) { expect_equal(x.grad, "d" + std::string(p)); },
                .buffer = [&](std::string_view b, Tensor<T>& x) { expect_equal(x, std::string(b) + "_after"); }});

  // A second backward gives the same dx and adds to the gradients.
  EXPECT_TRUE(equal(layer.backward(tensor("dy")), dx)) << golden.name() << ": " << name;
  visit(layer, {.parameter = [&](std::string_view p, Parameter<T>& x) {
          x.grad.mutable_array() *= T(0.5);
          expect_equal(x.grad, "d" + std::string(p));
        }});
}

/// The case in double, to 1e-10, and in float, to 1e-5; make.operator()<T>() builds the layer.
template <class Make>
void expect_matches_pytorch(const Golden& golden, const std::string& name, const Make& make, Mode mode = Mode::train) {
  expect_layer_case(golden, name, make.template operator()<double>(), mode, 1e-10);
  expect_layer_case(golden, name, make.template operator()<float>(), mode, 1e-5);
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
