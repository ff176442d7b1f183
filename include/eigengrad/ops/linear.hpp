// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/core/channel_map.hpp>
#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/kernels/channel_map.hpp>
#include <eigengrad/ops/kernels/gemm.hpp>
#include <eigengrad/ops/kernels/reduce_rows.hpp>

// Linear: y = x W^T + b. The axes before the last are the batch, N rows in all.

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

/// Every row of y becomes the given one.
template <class T>
void fill_rows(Tensor<T>& y, const Tensor<T>& row) {
  const Index cols = y.shape().cols();
  T* to = y.mutable_data();
  detail::parallel_rows(y.shape(), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) std::copy_n(row.data(), cols, to + i * cols);
  });
}

inline void check_weight(const char* where, const Shape& weight) {
  if (weight.rank() == 2) return;
  throw ShapeError(error_text(where, ": weight has shape ", weight, ", expected two axes, outputs and inputs"));
}

}  // namespace detail

/// Affine map of the last axis: y = x W^T + b
/// Shapes   x (..., I); weight W (O, I); bias b (O), or empty for none; y (..., O)
/// Errors   ShapeError if I or O differ or the weight has not two axes; so below
/// Cost     N I O multiply-adds
template <class T>
Tensor<T> linear(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias = {}) {
  detail::check_weight("linear", weight.shape());
  const Index inputs = weight.shape().cols();
  const Index outputs = weight.shape().rows();
  detail::check::features("linear", x.shape(), inputs);
  if (!bias.empty()) detail::check::same_shape("linear", "bias", bias.shape(), {outputs});
  Tensor<T> y(x.shape().with(-1, outputs));
  const Index rows = x.shape().rows();
  if (!bias.empty()) detail::fill_rows(y, bias);
  detail::gemm(detail::row_major(x.data(), rows, inputs),
               detail::row_major(weight.data(), outputs, inputs).transposed(),
               detail::row_major(y.mutable_data(), rows, outputs), /*add=*/!bias.empty());
  return y;
}

/// A linear layer without a bias, and then what follows it channel by channel: y = f(x W^T).
/// Shapes   f of O channels; the others and the errors as above
template <class T>
Tensor<T> linear_channel_map(const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f) {
  return detail::channel_map(linear(x, weight), f);
}

/// dx = dy W
/// Shapes   dy (..., O); weight W (O, I); dx (..., I)
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> linear_backward_input(const Tensor<T>& dy, const Tensor<T>& weight) {
  detail::check_weight("linear_backward_input", weight.shape());
  const Index inputs = weight.shape().cols();
  const Index outputs = weight.shape().rows();
  detail::check::last_axis("linear_backward_input", "features", dy.shape(), outputs);
  Tensor<T> dx(dy.shape().with(-1, inputs));
  const Index rows = dy.shape().rows();
  detail::gemm(detail::row_major(dy.data(), rows, outputs), detail::row_major(weight.data(), outputs, inputs),
               detail::row_major(dx.mutable_data(), rows, inputs));
  return dx;
}

/// dW = dy^T x: the sum over the batch of the outer products of dy and x
/// Shapes   dy (..., O); x (..., I); dW (O, I)
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> linear_backward_weight(const Tensor<T>& dy, const Tensor<T>& x) {
  const Index rows = x.shape().rows();
  detail::check::same_shape("linear_backward_weight", "gradient of the output", dy.shape(),
                            x.shape().with(-1, dy.shape().cols()));
  const Index inputs = x.shape().cols();
  const Index outputs = dy.shape().cols();
  Tensor<T> dw({outputs, inputs});
  detail::gemm(detail::row_major(dy.data(), rows, outputs).transposed(), detail::row_major(x.data(), rows, inputs),
               detail::row_major(dw.mutable_data(), outputs, inputs));
  return dw;
}

/// db = the sum of dy over the batch
/// Shapes   dy (..., O); db (O)
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> linear_backward_bias(const Tensor<T>& dy) {
  return detail::sum_rows(dy);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
