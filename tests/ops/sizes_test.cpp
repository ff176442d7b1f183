// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <functional>
#include <limits>
#include <new>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/arithmetic.hpp>
#include <eigengrad/ops/avg_pool2d.hpp>
#include <eigengrad/ops/batch_norm.hpp>
#include <eigengrad/ops/concat.hpp>
#include <eigengrad/ops/dropout.hpp>
#include <eigengrad/ops/gather.hpp>
#include <eigengrad/ops/kernels/channel_map.hpp>
#include <eigengrad/ops/layer_norm.hpp>
#include <eigengrad/ops/linear.hpp>
#include <eigengrad/ops/log_softmax.hpp>
#include <eigengrad/ops/matmul.hpp>
#include <eigengrad/ops/max_pool2d.hpp>
#include <eigengrad/ops/mse_loss.hpp>
#include <eigengrad/ops/pad.hpp>
#include <eigengrad/ops/permute.hpp>
#include <eigengrad/ops/reduce.hpp>
#include <eigengrad/ops/slice.hpp>
#include <eigengrad/ops/softmax.hpp>

#include "support/message_of.hpp"

// A tensor without elements may have any sizes beside the 0: no operation multiplies them to nonsense, loops over them
// or moves a pointer to nothing. Each gives a result, or one of the library's errors, at once.

namespace eigengrad::EIGENGRAD_ISA::ops::sizes_test {
namespace {

using testing::message_of;

constexpr Index k20 = Index{1} << 20;
constexpr Index k40 = Index{1} << 40;
constexpr Index kMost = std::numeric_limits<Index>::max();

const Shape kShapes[] = {{0},
                         {k40, 0},
                         {0, k40},
                         {0, kMost},
                         {k40, 0, k20},
                         {0, k20, k40},
                         {k20, k40, 0},
                         {1, k40, 1, 0},
                         {0, k40, k20, 1},
                         {k40, 2, 3, 0},
                         {1, k40, 3, 0},
                         {0, 2, kMost / 2, 1},
                         {0, 1, 1, kMost},
                         {2, 0, 3},
                         {2, 0, 3, 4}};

/// Calls f, which may throw an Error, or ask for more memory than there is, as a sum over the last axis of (2^40, 0)
/// does.
template <class F>
void ends(const F& f) {
  try {
    f();
  } catch (const Error&) {
  } catch (const std::bad_alloc&) {
  }
}

TEST(Sizes, OperationsOnTensorsWithoutElementsEndAtOnce) {
  using T = double;
  using X = Tensor<T>;
  const std::vector<std::function<void(const X&)>> operations = {
      [](const X& x) { softmax_backward(softmax(x), x); },
      [](const X& x) { log_softmax_backward(log_softmax(x), x); },
      [](const X& x) { layer_norm(x, {}, {}, 1e-5, true); },
      [](const X& x) { layer_norm_backward_input(x, x, X({x.shape().rows()}), {}); },
      [](const X& x) { layer_norm_backward_weight(x, x); },
      [](const X& x) { batch_norm_statistics(x); },
      [](const X& x) {
        const X mean({x.shape().cols()});
        batch_norm(x, mean, mean);
      },
      [](const X& x) {
        const X mean({x.shape().cols()});
        batch_norm_backward(x, x, mean, mean, {}, BatchNormSource::batch);
      },
      [](const X& x) {
        detail::channel_map(x, ChannelMap<T>{.scale = X({x.shape().cols()}), .shift = {}, .relu = true});
      },
      [](const X& x) {
        linear(x, X({0, x.shape().cols()}));
      },
      [](const X& x) {
        linear_backward_input(x, X({x.shape().cols(), 0}));
      },
      [](const X& x) { linear_backward_weight(x, X(x.shape().with(-1, 0))); },
      [](const X& x) { linear_backward_bias(X(x.shape().with(-1, 0))); },
      [](const X& x) {
        matmul(x, X({x.shape().cols(), 0}));
      },
      [](const X& x) { matmul(x, x, {.transpose_b = true}); },
      [](const X& x) { matmul(x, x, {.transpose_a = true}); },
      [](const X& x) { avg_pool2d(x, {.kernel = 1}); },
      [](const X& x) { avg_pool2d_backward(x, x.shape(), {.kernel = 1}); },
      [](const X& x) { max_pool2d(x, {.kernel = 2, .stride = 2, .padding = 1}); },
      [](const X& x) { max_pool2d_backward(x, x, x.shape(), {.kernel = 1}); },
      [](const X& x) { global_avg_pool2d(x); },
      [](const X& x) {
        global_avg_pool2d_backward(X({x.size(0), x.size(-1)}), x.shape());
      },
      [](const X& x) {
        concat({x, x}, -1);
      },
      [](const X& x) {
        concat({x, x}, 0);
      },
      [](const X& x) {
        stack({x, x, x}, 0);
      },
      [](const X& x) { concat_backward(x, 0, kMost, kMost); },
      [](const X& x) { stack_backward(x, 0, kMost); },
      [](const X& x) { slice(x, 0, 0, kEnd, kMost); },
      [](const X& x) { unslice(slice(x, -1, 1, kEnd, k40), x.shape(), -1, 1, kEnd, k40); },
      [](const X& x) {
        const std::vector<PadWidth> widths(static_cast<std::size_t>(x.rank()), {kMost, 1});
        pad(x, Padding(widths));
      },
      [](const X& x) {
        std::vector<PadWidth> widths(static_cast<std::size_t>(x.rank()), {0, 0});
        widths[0] = {-kMost - 1, kMost};
        pad(x, Padding(widths));
        pad_backward(x, Padding(widths));
      },
      [](const X& x) { permute(x, AxisOrder::swapping(x.shape(), 0, -1)); },
      [](const X& x) { take(x, Tensor<Index>(Shape{0}), -1); },
      [](const X& x) { scatter_add(X(x.shape().with(-1, 0)), Tensor<Index>(Shape{0}), x.shape(), -1); },
      [](const X& x) { gather(x, 0, Tensor<Index>(x.shape())); },
      [](const X& x) { scatter_add(x, 0, Tensor<Index>(x.shape()), x.shape()); },
      [](const X& x) { one_hot<T>(Tensor<Index>(x.shape()), kMost); },
      [](const X& x) { add(x, x); },
      [](const X& x) { add(x, X(Shape{1})); },
      [](const X& x) { broadcast_to(X::zeros({1}), x.shape()); },
      [](const X& x) { sum(x); },
      [](const X& x) { mean(x, -1, true); },
      [](const X& x) { var(x, 0); },
      [](const X& x) { max(x, -1); },
      [](const X& x) { logsumexp(x, 0); },
      [](const X& x) { argmax(x, 0); },
      [](const X& x) { dropout(x, dropout_mask(x.shape(), 0.5, Rng(1), 1), 0.5); },
      [](const X& x) { mse_loss(x, x); },
      [](const X& x) {
        X(x).reshape({-1, k20, k40});
      },
  };
  for (std::size_t i = 0; i < operations.size(); ++i) {
    SCOPED_TRACE(i);
    for (const Shape& shape : kShapes) {
      SCOPED_TRACE(shape);
      ends([&] { operations[i](X(shape)); });
    }
  }
}

TEST(Sizes, SumsAndProductsThatDoNotFitAreRefused) {
  EXPECT_EQ(message_of([] {
              concat({Tensor<float>({0, kMost}), Tensor<float>({0, 2})}, 1);
            }),
            "concat: 9223372036854775807 + 2 is more than an Index holds");
  EXPECT_EQ(message_of([] {
              pad(Tensor<float>({0, 5}), {{0, 0}, {kMost, 0}});
            }),
            "pad: 5 + 9223372036854775807 is more than an Index holds");
  EXPECT_EQ(message_of([] {
              Window{.kernel = 3, .padding = 1}.output("conv2d", Shape{0, kMost, 1, 1});
            }),
            "conv2d: 9223372036854775807 + 2 is more than an Index holds");
  EXPECT_EQ(message_of([] {
              broadcast_to(Tensor<float>({0, 1, 1}), {0, k40, k40});
            }),
            "Shape: the sizes of (0, 1099511627776, 1099511627776) multiply to more than an Index holds");
}

TEST(Sizes, AStepBeyondTheAxisTakesItsFirstElement) {
  const auto x = Tensor<float>({5, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14});
  EXPECT_TRUE(equal(slice(x, 0, 1, kEnd, kMost), Tensor<float>({1, 3}, {3, 4, 5})));
  EXPECT_TRUE(equal(unslice(Tensor<float>({5, 1}, {1, 2, 3, 4, 5}), x.shape(), 1, 2, kEnd, kMost),
                    Tensor<float>({5, 3}, {0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0, 5})));
}

TEST(Sizes, WithoutPixelsNoWindowMoves) {
  for (const Shape& shape : {Shape{8, 0, 16, 16}, Shape{8, 16, 0, 16}, Shape{0, 0, 0, 0}}) {
    const Window window{.kernel = 3, .padding = 2};
    EXPECT_EQ(message_of([&] { window.output("conv2d", shape); }),
              error_text("conv2d: input has shape ", shape, ", expected (N, H, W, C) with pixels"));
    const Window pooling{.kernel = 4, .padding = 2};
    EXPECT_EQ(message_of([&] { pooling.pooled("conv2d", shape); }),
              error_text("conv2d: input has shape ", shape, ", expected (N, H, W, C) with pixels"));
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::sizes_test
