// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/sequential.hpp>

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

/// Stands for a layer that needs more memory than there is, forward or backward.
struct Greedy {
  bool in_backward = false;
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) { return in_backward ? x : refused(); }
  Tensor<float> backward(Tensor<float>) { return refused(); }
  std::string description() const { return "Greedy"; }

 private:
  static Tensor<float> refused() { throw MemoryError("Tensor: no memory for shape (5, 2), 40 bytes"); }
};

TEST(MemoryError, SaysWhichLayerWantedHowMuch) {
  for (const bool in_backward : {false, true}) {
    for (const Mode mode : {Mode::train, Mode::inference}) {
      Sequential net{Linear{3, 2}, Greedy{in_backward}};
      if (in_backward && mode == Mode::inference) continue;
      try {
        net.forward(Tensor<float>::ones({5, 3}), mode);
        net.backward(Tensor<float>::ones({5, 2}));
        FAIL() << "there is memory";
      } catch (const MemoryError& error) {
        EXPECT_STREQ(error.what(), "layer 1 (Greedy): Tensor: no memory for shape (5, 2), 40 bytes");
      }
    }
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
