// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/concat.hpp>
#include <eigengrad/ops/gather.hpp>
#include <eigengrad/ops/matmul.hpp>
#include <eigengrad/ops/pad.hpp>
#include <eigengrad/ops/permute.hpp>
#include <eigengrad/ops/slice.hpp>

#include "support/golden.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::structure_parity_test {
namespace {

// Operations on axes, and products, against PyTorch: results, and gradients by each input.
template <class T>
class Parity {
 public:
  explicit Parity(double tolerance) : tolerance_(tolerance) {}

  Tensor<T> operator()(const std::string& name) const { return golden_[name].template cast<T>(); }
  Tensor<Index> indices(const std::string& name) const { return golden_[name].cast<Index>(); }

  void expect(const Tensor<T>& got, const std::string& name) const {
    EXPECT_LT(testing::difference(got, (*this)(name)), tolerance_) << name;
  }

  /// y = forward(x), dx = backward(dy, shape of x).
  template <class Forward, class Backward>
  void one_input(const std::string& name, const Forward& forward, const Backward& backward,
                 const std::string& input = "x") const {
    const Tensor<T> x = (*this)(name + "." + input);
    expect(forward(x), name + ".y");
    expect(backward((*this)(name + ".dy"), x.shape()), name + ".d" + input);
  }

  void matmul_case(const std::string& name) const {
    const Tensor<T> a = (*this)(name + ".input");
    const Tensor<T> b = (*this)(name + ".other");
    const Tensor<T> dy = (*this)(name + ".dy");
    expect(matmul(a, b), name + ".y");
    expect(matmul_backward_first(dy, b, a.shape()), name + ".dinput");
    expect(matmul_backward_second(dy, a, b.shape()), name + ".dother");
  }

  void all() const {
    axes();
    joined();
    picked();
    for (const char* name : {"matrices", "batches", "broadcast", "one_right", "one_left", "matrix_vector",
                             "vector_matrix", "dot", "wide"}) {
      matmul_case(std::string("matmul_") + name);
    }
  }

 private:
  void axes() const {
    one_input(
        "permute",
        [](const auto& x) {
          return permute(x, {0, 3, 1, 2});
        },
        [](const auto& dy, const Shape&) {
          return permute_backward(dy, {0, 3, 1, 2});
        });
    one_input(
        "transpose", [](const auto& x) { return transpose(x, -1, 0); },
        [](const auto& dy, const Shape&) { return transpose_backward(dy, -1, 0); });
    one_input(
        "slice", [](const auto& x) { return slice(x, 1, -6, 7, 2); },
        [](const auto& dy, const Shape& x) { return slice_backward(dy, x, 1, -6, 7, 2); });
    one_input(
        "rows", [](const auto& x) { return slice(x, 0, 1, 3); },
        [](const auto& dy, const Shape& x) { return slice_backward(dy, x, 0, 1, 3); });
    const Padding padding{{3, -1}, {0, 0}, {1, 2}};
    one_input(
        "pad", [&](const auto& x) { return pad(x, padding, T(0.5)); },
        [&](const auto& dy, const Shape&) { return pad_backward(dy, padding); });
  }

  void joined() const {
    const std::vector<Tensor<T>> parts{(*this)("concat.a"), (*this)("concat.b"), (*this)("concat.c")};
    expect(concat(parts, 1), "concat.y");
    const Tensor<T> dy = (*this)("concat.dy");
    expect(concat_backward(dy, 1, 0, 2), "concat.da");
    expect(concat_backward(dy, 1, 2, 1), "concat.db");
    expect(concat_backward(dy, 1, 3, 4), "concat.dc");
    expect(stack({(*this)("stack.a"), (*this)("stack.b")}, -1), "stack.y");
    expect(stack_backward((*this)("stack.dy"), -1, 0), "stack.da");
    expect(stack_backward((*this)("stack.dy"), -1, 1), "stack.db");
  }

  void picked() const {
    const Tensor<Index> index = indices("index");
    const Tensor<Index> tokens = indices("tokens");
    const Tensor<Index> columns = indices("columns");
    one_input(
        "gather", [&](const auto& x) { return gather(x, 1, index); },
        [&](const auto& dy, const Shape& x) { return gather_backward(dy, 1, index, x); });
    one_input(
        "scatter_add",
        [&](const auto& y) {
          return scatter_add(y, 1, index, {4, 5, 2});
        },
        [&](const auto& dx, const Shape&) { return scatter_add_backward(dx, 1, index); }, "source");
    one_input(
        "embedding", [&](const auto& x) { return take(x, tokens); },
        [&](const auto& dy, const Shape& x) { return take_backward(dy, tokens, x); });
    one_input(
        "index_select", [&](const auto& x) { return take(x, columns, 1); },
        [&](const auto& dy, const Shape& x) { return take_backward(dy, columns, x, 1); });
    expect(one_hot<T>(tokens, 6), "one_hot");
  }

  testing::Golden golden_{"structure_ops"};
  double tolerance_;
};

TEST(StructureParity, Double) { Parity<double>(1e-10).all(); }
TEST(StructureParity, Float) { Parity<float>(1e-5).all(); }

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::structure_parity_test
