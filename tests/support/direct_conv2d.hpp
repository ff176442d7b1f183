// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/ops/conv2d.hpp>

// The definition of convolution in plain loops, as slow as it is clear: what every fast path is compared with.

namespace eigengrad::EIGENGRAD_ISA::testing {

/// A convolution to be tested.
struct Conv2dCase {
  const char* name;
  Shape x;
  Shape weight;
  ops::Conv2dOptions options;
};

template <class T>
struct Conv2dGradients {
  Tensor<T> dx, dw, db;
};

/// Calls f(n, p, q, k, h, w, c, weight index) for every product of a convolution.
template <class F>
void for_each_product(const Shape& x, const Shape& y, const Shape& weight, const ops::Conv2dOptions& options,
                      const F& f) {
  const Index group_outputs = weight[0] / options.groups;
  for (Index n = 0; n < y[0]; ++n)
    for (Index p = 0; p < y[1]; ++p)
      for (Index q = 0; q < y[2]; ++q)
        for (Index k = 0; k < y[3]; ++k)
          for (Index r = 0; r < weight[1]; ++r)
            for (Index s = 0; s < weight[2]; ++s)
              for (Index c = 0; c < weight[3]; ++c) {
                const Index h = p * options.stride.height - options.padding.height + r * options.dilation.height;
                const Index w = q * options.stride.width - options.padding.width + s * options.dilation.width;
                if (h < 0 || h >= x[1] || w < 0 || w >= x[2]) continue;
                const Index in = k / group_outputs * weight[3] + c;
                const Index at_x = ((n * x[1] + h) * x[2] + w) * x[3] + in;
                const Index at_y = ((n * y[1] + p) * y[2] + q) * y[3] + k;
                f(at_x, at_y, ((k * weight[1] + r) * weight[2] + s) * weight[3] + c);
              }
}

/// Shapes as ops::conv2d.
template <class T>
Tensor<T> direct_conv2d(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias,
                        const ops::Conv2dOptions& options) {
  const auto size = [&](Index in, Index kernel, Index stride, Index padding, Index dilation) {
    return (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
  };
  const auto& [stride, padding, dilation, groups, algorithm] = options;
  Tensor<T> y =
      Tensor<T>::zeros({x.size(0), size(x.size(1), weight.size(1), stride.height, padding.height, dilation.height),
                        size(x.size(2), weight.size(2), stride.width, padding.width, dilation.width), weight.size(0)});
  if (!bias.empty()) {
    for (Index i = 0; i < y.numel(); ++i) y.mutable_data()[i] = bias.data()[i % bias.numel()];
  }
  T* out = y.mutable_data();
  for_each_product(x.shape(), y.shape(), weight.shape(), options,
                   [&](Index at_x, Index at_y, Index at_w) { out[at_y] += x.data()[at_x] * weight.data()[at_w]; });
  return y;
}

template <class T>
Conv2dGradients<T> direct_conv2d_backward(const Tensor<T>& dy, const Tensor<T>& x, const Tensor<T>& weight,
                                          const ops::Conv2dOptions& options) {
  Conv2dGradients<T> result{Tensor<T>::zeros(x.shape()), Tensor<T>::zeros(weight.shape()),
                            Tensor<T>::zeros({weight.size(0)})};
  T* dx = result.dx.mutable_data();
  T* dw = result.dw.mutable_data();
  T* db = result.db.mutable_data();
  for_each_product(x.shape(), dy.shape(), weight.shape(), options, [&](Index at_x, Index at_y, Index at_w) {
    dx[at_x] += dy.data()[at_y] * weight.data()[at_w];
    dw[at_w] += dy.data()[at_y] * x.data()[at_x];
  });
  for (Index i = 0; i < dy.numel(); ++i) db[i % weight.size(0)] += dy.data()[i];
  return result;
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
