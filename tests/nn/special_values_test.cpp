// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/nn/avg_pool2d.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/conv2d.hpp>
#include <eigengrad/nn/dropout.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/gelu.hpp>
#include <eigengrad/nn/layer_norm.hpp>
#include <eigengrad/nn/leaky_relu.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/max_pool2d.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/residual.hpp>
#include <eigengrad/nn/sigmoid.hpp>
#include <eigengrad/nn/silu.hpp>
#include <eigengrad/nn/softmax.hpp>
#include <eigengrad/nn/tanh.hpp>
#include <eigengrad/ops/log_softmax.hpp>
#include <eigengrad/ops/matmul.hpp>
#include <eigengrad/ops/permute.hpp>
#include <eigengrad/ops/reduce.hpp>

#include "support/special_values.hpp"

// Every layer and loss on equal channels or equal rows, on special values and ordinary ones, in every place.

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

using testing::all_same;
using testing::same;

/// Column by column and row by row the same as the first.
template <class T>
void expect_equal_columns(const char* name, const Tensor<T>& y, T value) {
  const Index cols = y.shape().cols();
  for (Index i = 0; i < y.numel(); ++i) {
    ASSERT_TRUE(same(y.data()[i], y.data()[i / cols * cols]))
        << name << " of " << value << ", shape " << y.shape() << ": column " << i % cols << " has " << y.data()[i]
        << ", column 0 " << y.data()[i / cols * cols];
  }
}
template <class T>
void expect_equal_rows(const char* name, const Tensor<T>& y, T value) {
  const Index cols = y.shape().cols();
  for (Index i = 0; i < y.numel(); ++i) {
    ASSERT_TRUE(same(y.data()[i], y.data()[i % cols]))
        << name << " of " << value << ", shape " << y.shape() << ": row " << i / cols << " has " << y.data()[i]
        << ", row 0 " << y.data()[i % cols];
  }
}

/// Rows of ordinary numbers, one of which is the value, repeated in every column.
template <class T>
Tensor<T> equal_columns(const Shape& shape, T value, std::uint64_t seed) {
  Rng rng(seed);
  Tensor<T> x = Tensor<T>::randn(shape, rng);
  T* data = x.mutable_data();
  for (Index i = 0; i < x.numel(); ++i) data[i] = data[i / shape.cols() * shape.cols()];
  for (Index c = 0; c < shape.cols(); ++c) data[c] = value;
  return x;
}
/// A row of ordinary numbers that begins with the value, repeated.
template <class T>
Tensor<T> equal_rows(const Shape& shape, T value, std::uint64_t seed) {
  Rng rng(seed);
  Tensor<T> x = Tensor<T>::randn(shape, rng);
  T* data = x.mutable_data();
  if (shape.numel() > 0) data[0] = value;
  for (Index i = shape.cols(); i < x.numel(); ++i) data[i] = data[i % shape.cols()];
  return x;
}

template <class T>
class SpecialInputs : public ::testing::Test {};
using Numbers = ::testing::Types<float, double>;
TYPED_TEST_SUITE(SpecialInputs, Numbers);

constexpr Index kCounts[] = {1, 3, 7, 16, 17, 31, 40};

/// A layer that treats every channel alike, forward and backward, in training, evaluation and inference.
template <class T, class Make>
void expect_channels_alike(const char* name, const Make& make) {
  for (const T value : testing::special_values<T>()) {
    for (const Index channels : kCounts) {
      auto layer = make(channels);
      for (const Mode mode : {Mode::train, Mode::eval, Mode::inference}) {
        const Tensor<T> y = layer.forward(equal_columns<T>({2, 3, 4, channels}, value, 1), mode);
        expect_equal_columns(name, y, value);
        if (remembers(mode)) expect_equal_columns(name, layer.backward(equal_columns<T>(y.shape(), value, 2)), value);
      }
    }
  }
}

TYPED_TEST(SpecialInputs, OfLayersThatTreatChannelsAlike) {
  using T = TypeParam;
  expect_channels_alike<T>("AvgPool2d", [](Index) { return AvgPool2d<T>{{.kernel = 2, .padding = 1}}; });
  expect_channels_alike<T>("MaxPool2d", [](Index) { return MaxPool2d<T>{{.kernel = 2, .padding = 1}}; });
  expect_channels_alike<T>("GlobalAvgPool2d", [](Index) { return GlobalAvgPool2d<T>{}; });
  expect_channels_alike<T>("BatchNorm2d", [](Index channels) { return BatchNorm2d<T>{channels}; });
  expect_channels_alike<T>("ReLU", [](Index) { return ReLU<T>{}; });
  expect_channels_alike<T>("LeakyReLU", [](Index) { return LeakyReLU<T>{}; });
  expect_channels_alike<T>("Tanh", [](Index) { return Tanh<T>{}; });
  expect_channels_alike<T>("Sigmoid", [](Index) { return Sigmoid<T>{}; });
  expect_channels_alike<T>("SiLU", [](Index) { return SiLU<T>{}; });
  expect_channels_alike<T>("GELU", [](Index) { return GELU<T>{}; });
  expect_channels_alike<T>("GELU, tanh", [](Index) { return GELU<T>{{.approximate = Approximate::tanh}}; });
  expect_channels_alike<T>("Dropout", [](Index) { return Dropout<T>{{.p = 0.0}}; });
}

/// A layer of the last axis or of both: equal rows stay equal.
template <class T, class F>
void expect_rows_alike(const char* name, const F& f) {
  for (const T value : testing::special_values<T>()) {
    for (const Index cols : kCounts) expect_equal_rows(name, f(equal_rows<T>({5, cols}, value, 3)), value);
  }
}

TYPED_TEST(SpecialInputs, OfLayersOfRows) {
  using T = TypeParam;
  using X = Tensor<T>;
  const auto with_backward = [](const char* name, const auto& make) {
    expect_rows_alike<T>(name, [&](const X& x) { return make(x.size(1)).forward(x, Mode::train); });
    expect_rows_alike<T>(name, [&](const X& x) {
      auto layer = make(x.size(1));
      const X y = layer.forward(equal_rows<T>(x.shape(), T(0.3), 4), Mode::train);
      return layer.backward(equal_rows<T>(y.shape(), x.data()[0], 5));
    });
  };
  with_backward("Softmax", [](Index) { return Softmax<T>{}; });
  with_backward("LayerNorm", [](Index cols) { return LayerNorm<T>{cols}; });
  with_backward("Linear", [](Index cols) { return Linear<T>{cols, 13}; });
  with_backward("Flatten", [](Index) { return Flatten<T>{}; });
  expect_rows_alike<T>("log_softmax", [](const X& x) { return ops::log_softmax(x); });
  expect_rows_alike<T>("log_softmax_backward", [](const X& x) {
    return ops::log_softmax_backward(x, ops::log_softmax(equal_rows<T>(x.shape(), T(0.3), 7)));
  });
  const auto reduction = [](const char* name, const auto& f) {
    expect_rows_alike<T>(name, [&](const X& x) { return f(x, 1); });
    // Along columns that are equal: every result the same.
    for (const T value : testing::special_values<T>()) {
      for (const Index cols : kCounts) EXPECT_TRUE(all_same(f(equal_columns<T>({70, cols}, value, 8), 0))) << name;
    }
  };
  reduction("sum", [](const X& x, int axis) { return ops::sum(x, {axis}, true); });
  reduction("mean", [](const X& x, int axis) { return ops::mean(x, {axis}, true); });
  reduction("var", [](const X& x, int axis) { return ops::var(x, {axis}, true); });
  reduction("max", [](const X& x, int axis) { return ops::max(x, {axis}, true); });
  reduction("min", [](const X& x, int axis) { return ops::min(x, {axis}, true); });
  reduction("norm", [](const X& x, int axis) { return ops::norm(x, {axis}, true); });
  reduction("logsumexp", [](const X& x, int axis) { return ops::logsumexp(x, {axis}, true); });
}

TYPED_TEST(SpecialInputs, OfLosses) {
  using T = TypeParam;
  for (const T value : testing::special_values<T>()) {
    for (const Index cols : kCounts) {
      const auto x = equal_rows<T>({5, cols}, value, 9);
      const auto labels = Tensor<Index>::full({5}, cols / 2);
      for (const double smoothing : {0.0, 0.1}) {
        SoftmaxCrossEntropy<T> loss{{.label_smoothing = smoothing}};
        loss.forward(x, labels);
        expect_equal_rows("SoftmaxCrossEntropy", loss.backward(), value);
      }
      CrossEntropy<T> cross_entropy;
      cross_entropy.forward(x, labels);
      expect_equal_rows("CrossEntropy", cross_entropy.backward(), value);
      MSELoss<T> mse;
      const T mean_square = mse.forward(x, Tensor<T>::zeros(x.shape()));
      expect_equal_rows("MSELoss", mse.backward(), value);
      EXPECT_EQ(std::isnan(mean_square), std::isnan(value));
    }
  }
}

// Filters that are equal give equal outputs, whichever way they are computed, and so do equal rows of a product.
TYPED_TEST(SpecialInputs, OfEqualFilters) {
  using T = TypeParam;
  Rng rng(10);
  for (const Index count : kCounts) {
    for (const Index kernel : {1, 3, 5}) {
      for (const Index groups : {Index{1}, count}) {
        const Index inputs = groups == 1 ? 3 : count;
        Conv2d<T> conv{inputs, count, {.kernel = kernel, .padding = kernel / 2, .groups = groups}};
        conv.weight.value = equal_rows<T>(conv.weight.value.shape(), T(0.7), 11);
        auto by_filter = conv.weight.value.reshape({count, conv.weight.value.numel() / count});
        conv.weight.value = equal_rows<T>(by_filter.shape(), T(0.7), 12).reshape(conv.weight.value.shape());
        conv.bias.value = Tensor<T>::full({count}, T(0.1));
        const Tensor<T> x =
            groups == 1 ? Tensor<T>::randn({2, 9, 11, inputs}, rng) : equal_columns<T>({2, 9, 11, inputs}, T(0.3), 13);
        const Tensor<T> y = conv.forward(x, Mode::train);
        expect_equal_columns("Conv2d", y, T(kernel));
        const Tensor<T> dx = conv.backward(equal_columns<T>(y.shape(), T(0.3), 14));
        if (groups != 1) expect_equal_columns("Conv2d, dx", dx, T(kernel));
        expect_equal_rows("Conv2d, dW", conv.weight.grad.reshape(by_filter.shape()), T(kernel));
        EXPECT_TRUE(all_same(conv.bias.grad));
      }
    }
    for (const Index steps : {1, 5, 19, 300, 1100}) {
      for (const Index rows : {1, 2, 9}) {
        const auto a = equal_rows<T>({count, steps}, T(0.3), 15);
        const auto b = Tensor<T>::randn({steps, rows}, rng);
        expect_equal_rows("matmul", ops::matmul(a, b), T(steps));
        const auto transposed = equal_columns<T>({steps, count}, T(0.3), 16);
        expect_equal_columns("matmul", ops::matmul(ops::transpose(b, 0, 1), transposed), T(steps));
        expect_equal_rows("matmul", ops::matmul(ops::transpose(transposed, 0, 1), b), T(steps));
      }
      const auto vector = Tensor<T>::randn({steps}, rng);
      EXPECT_TRUE(all_same(ops::matmul(equal_rows<T>({count, steps}, T(0.3), 17), vector)));
      EXPECT_TRUE(all_same(ops::matmul(vector, equal_columns<T>({steps, count}, T(0.3), 18))));
    }
  }
}

// The values of the definition at the edges of the number type.
TYPED_TEST(SpecialInputs, GiveTheLimits) {
  using T = TypeParam;
  using X = Tensor<T>;
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  for (const Index cols : kCounts) {
    X x = X::zeros({1, cols + 1});
    x.mutable_data()[cols] = -kInfinity;
    const X p = ops::softmax(x);
    EXPECT_EQ(p.data()[cols], T(0)) << cols;
    for (Index i = 0; i < cols; ++i) EXPECT_TRUE(testing::right(p.data()[i], 1 / testing::Wide(cols), 2));
    EXPECT_EQ(ops::log_softmax(x).data()[cols], -kInfinity);

    BatchNorm1d<T> norm{cols};
    norm.running_var = X::full({cols}, kInfinity);
    const X normalized = norm.forward(X::full({3, cols}, T(2)), Mode::eval);
    for (const T y : normalized.span()) EXPECT_EQ(y, T(0));

    // A row that differs by nothing, of a size whose square would overflow.
    LayerNorm<T> layer_norm{cols};
    const X of_rows = layer_norm.forward(X::full({2, cols}, T(1e30)), Mode::eval);
    for (const T y : of_rows.span()) EXPECT_EQ(y, T(0));
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
